"""Epochs that count less and less, linearly."""

import dataclasses

import numpy as np
from typing_extensions import override

from myopia.envs.schedule import DecayingSchedule, schedule


@schedule
@dataclasses.dataclass(frozen=True)
class Linear(DecayingSchedule):
    """Weight max(0, 1 - k/C); upkeep 0 before C, then constant."""

    @override
    def before_cutoff(self, epoch: np.ndarray) -> np.ndarray:
        """1 - k/C."""
        return 1.0 - epoch / self.cutoff
