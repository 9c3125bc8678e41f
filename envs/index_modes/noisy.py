"""A clock that nobody can rely on."""

import dataclasses
from typing import ClassVar

from typing_extensions import override

from myopia.envs.backend import Array
from myopia.envs.index import Index, check_within, index_mode


@index_mode
@dataclasses.dataclass(frozen=True)
class Noisy(Index):
    """The index plus uniform integer noise in -width..width, redrawn every step, clipped."""

    noise: ClassVar[bool] = True
    width: int = 1

    @override
    def check(self, max_epochs: int) -> None:
        check_within("noisy: width", self.width, 0, max_epochs)

    @override
    def show(self, index: Array, draw: Array, max_epochs: int) -> Array:
        noisy = index + (draw * (2 * self.width + 1) >> 32) - self.width
        # min and max spelled out: the same line serves ints, numpy and torch
        noisy = noisy * (noisy > 0)
        over = noisy > max_epochs - 1
        return noisy * (1 - over * 1) + (max_epochs - 1) * over

    @override
    def draws(self) -> list[int]:
        width = 2 * self.width + 1
        return [(place << 32) // width + 1 for place in range(width)]
