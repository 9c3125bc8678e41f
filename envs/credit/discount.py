"""Credit that shrinks with every boundary: a discount across epochs."""

import dataclasses

from typing_extensions import override

from myopia.common import specs
from myopia.envs.backend import Array
from myopia.envs.credit.credit import Credit, Flag, credit_mode


@credit_mode
@dataclasses.dataclass(frozen=True)
class Discount(Credit):
    """What lies beyond a boundary counts D as much, for each boundary crossed.

    Reward, value and trace alike: the factor of a step is gamma, and gamma D at the end of an
    epoch. D = 0 is `epoch` and D = 1 is `lifetime`, bit for bit.
    """

    form = "discount:D"
    across: float

    @classmethod
    @override
    def read(cls, value: str) -> "Discount":
        try:
            across = specs.convert(value, float, "D")
        except ValueError:
            across = -1.0
        if not 0 <= across <= 1:
            raise ValueError(
                f"credit 'discount:{value}': expected discount:D with D from 0 to 1, such as "
                "discount:0.5"
            )
        return cls(across)

    @property
    @override
    def delta(self) -> float:
        return self.across

    @property
    @override
    def flag(self) -> Flag | None:
        return {0.0: "terminated", 1.0: "none"}.get(self.across)  # type: ignore[return-value]

    @override
    def passes(self, boundaries: Array) -> tuple[Array, Array]:
        factor = 1 - (1 - self.across) * boundaries
        return factor, factor
