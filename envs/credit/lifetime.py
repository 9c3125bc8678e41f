"""Credit for the whole lifetime."""

import dataclasses

from typing_extensions import override

from myopia.envs.backend import Array
from myopia.envs.credit.credit import Credit, Flag, credit_mode


@credit_mode
@dataclasses.dataclass(frozen=True)
class Lifetime(Credit):
    """The boundary is invisible."""

    form = "lifetime"

    @property
    @override
    def delta(self) -> float:
        return 1.0

    @property
    @override
    def flag(self) -> Flag:
        return "none"

    @override
    def passes(self, boundaries: Array) -> tuple[Array, Array]:
        return 1, 1
