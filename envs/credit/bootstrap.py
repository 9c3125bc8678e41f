"""Credit for the whole lifetime, told by the learner's own values."""

import dataclasses

from typing_extensions import override

from myopia.envs.backend import Array
from myopia.envs.credit.credit import Credit, Flag, credit_mode


@credit_mode
@dataclasses.dataclass(frozen=True)
class Bootstrap(Credit):
    """Truncated: the learner adds its own value of the next epoch."""

    form = "bootstrap"

    @property
    @override
    def delta(self) -> float:
        return 1.0

    @property
    @override
    def flag(self) -> Flag:
        return "truncated"

    @override
    def passes(self, boundaries: Array) -> tuple[Array, Array]:
        return 1, 1 - boundaries
