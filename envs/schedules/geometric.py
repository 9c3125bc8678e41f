"""Epochs that count less and less, by a factor."""

import dataclasses

import numpy as np
from typing_extensions import override

from myopia.common.errors import check_at_least
from myopia.envs.schedule import DecayingSchedule, schedule


@schedule
@dataclasses.dataclass(frozen=True)
class Geometric(DecayingSchedule):
    """Weight rate**k before C, then 0; upkeep from C on."""

    rate: float = dataclasses.field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least(self, f"schedule {self.kind}: ", rate=0)
        if self.rate > 1:
            raise ValueError(f"schedule geometric: rate must be <= 1 or it rises, got {self.rate}")

    @override
    def before_cutoff(self, epoch: np.ndarray) -> np.ndarray:
        """rate**k."""
        return self.rate**epoch
