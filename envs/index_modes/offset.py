"""A clock that is wrong by so much."""

import dataclasses

from typing_extensions import override

from myopia.envs.backend import Array
from myopia.envs.index import Index, check_within, index_mode


@index_mode
@dataclasses.dataclass(frozen=True)
class Offset(Index):
    """The index plus a constant; it may leave the range 0..K-1."""

    by: int

    @override
    def check(self, max_epochs: int) -> None:
        check_within("offset: by", self.by, -max_epochs, max_epochs)

    @override
    def show(self, index: Array, draw: Array, max_epochs: int) -> Array:
        return index + self.by
