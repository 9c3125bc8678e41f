"""A clock that is wrong by so much."""

import dataclasses
from typing import Any

from typing_extensions import override

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
    def show(self, index: Any, draw: Any, max_epochs: int) -> Any:
        return index + self.by
