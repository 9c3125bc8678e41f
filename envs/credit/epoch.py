"""Credit for one epoch."""

import dataclasses

from typing_extensions import override

from myopia.envs.backend import Array
from myopia.envs.credit.credit import Credit, Flag, credit_mode


@credit_mode
@dataclasses.dataclass(frozen=True)
class Epoch(Credit):
    """Terminated: no credit crosses the boundary."""

    form = "epoch"

    @property
    @override
    def delta(self) -> float:
        return 0.0

    @property
    @override
    def flag(self) -> Flag:
        return "terminated"

    @override
    def passes(self, boundaries: Array) -> tuple[Array, Array]:
        return 1 - boundaries, 1 - boundaries
