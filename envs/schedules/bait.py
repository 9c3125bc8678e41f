"""A rich epoch past the cutoff."""

import dataclasses

import numpy as np
from typing_extensions import override

from myopia.common.errors import check_at_least
from myopia.envs.schedule import Schedule, schedule
from myopia.envs.schedules.linear import Linear


@schedule
@dataclasses.dataclass(frozen=True)
class Bait(Schedule):
    """Linear, but one epoch past the cutoff is rich: it has `weight` and no upkeep."""

    cutoff: int
    epoch: int
    weight: float
    upkeep: float = 0.5

    def __post_init__(self) -> None:
        check_at_least(self, f"schedule {self.kind}: ", cutoff=1, epoch=0, weight=0, upkeep=0)

    @override
    def arrays(self, max_epochs: int) -> tuple[np.ndarray, np.ndarray]:
        self._check_epoch("epoch", self.epoch, max_epochs, max_epochs - 1)
        weight, upkeep = Linear(self.cutoff, self.upkeep).arrays(max_epochs)
        weight[self.epoch], upkeep[self.epoch] = self.weight, 0.0
        return weight, upkeep
