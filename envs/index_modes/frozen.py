"""A clock that stands still."""

import dataclasses

from typing_extensions import override

from myopia.envs.backend import Array
from myopia.envs.index import Index, check_within, index_mode


@index_mode
@dataclasses.dataclass(frozen=True)
class Frozen(Index):
    """Always the same index."""

    at: int = 0

    @override
    def check(self, max_epochs: int) -> None:
        check_within("frozen: at", self.at, -max_epochs, 2 * max_epochs)

    @override
    def show(self, index: Array, draw: Array, max_epochs: int) -> Array:
        return index * 0 + self.at
