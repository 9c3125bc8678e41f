"""Weight and upkeep, listed."""

import dataclasses
import math

import numpy as np
from typing_extensions import override

from myopia.common import specs
from myopia.envs.schedule import Schedule, schedule


@schedule
@dataclasses.dataclass(frozen=True)
class Table(Schedule):
    """Weight and upkeep as listed; the last value goes on. `rising=true` lifts the order."""

    weight: tuple[float, ...]
    upkeep: tuple[float, ...] = (0.0,)
    rising: bool = False

    def __post_init__(self) -> None:
        for name in ("weight", "upkeep"):
            values = getattr(self, name)
            if not values or not all(math.isfinite(v) and v >= 0 for v in values):
                raise ValueError(
                    f"schedule table: {name} must be finite numbers >= 0, "
                    f"got {specs.format_value(values)!r}"
                )
        if self.rising:
            return
        if any(b > a for a, b in zip(self.weight, self.weight[1:], strict=False)):
            raise ValueError(
                f"schedule table: weight {specs.format_value(self.weight)!r} rises; "
                "expected values that never rise, or rising=true"
            )
        if any(b < a for a, b in zip(self.upkeep, self.upkeep[1:], strict=False)):
            raise ValueError(
                f"schedule table: upkeep {specs.format_value(self.upkeep)!r} falls; "
                "expected values that never fall, or rising=true"
            )

    @override
    def arrays(self, max_epochs: int) -> tuple[np.ndarray, np.ndarray]:
        last = max(len(self.weight), len(self.upkeep)) - 1
        self._check_epoch("the table's last epoch", last, max_epochs, max_epochs - 1)
        epoch = np.arange(max_epochs)
        weight = np.array(self.weight)[np.minimum(epoch, len(self.weight) - 1)]
        upkeep = np.array(self.upkeep)[np.minimum(epoch, len(self.upkeep) - 1)]
        return weight, upkeep
