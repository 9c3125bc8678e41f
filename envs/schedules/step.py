"""Epochs that count fully up to the cutoff."""

import dataclasses

import numpy as np
from typing_extensions import override

from myopia.envs.schedule import DecayingSchedule, schedule


@schedule
@dataclasses.dataclass(frozen=True)
class Step(DecayingSchedule):
    """Weight 1 before C, then 0; upkeep from C on."""

    @override
    def before_cutoff(self, epoch: np.ndarray) -> float:
        """1."""
        return 1.0
