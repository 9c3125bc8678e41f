"""Nothing asks the agent to stop."""

import dataclasses

import numpy as np
from typing_extensions import override

from myopia.envs.schedule import Schedule, schedule


@schedule
@dataclasses.dataclass(frozen=True)
class Constant(Schedule):
    """Weight 1, no upkeep, no cutoff: nothing asks the agent to stop."""

    @override
    def arrays(self, max_epochs: int) -> tuple[np.ndarray, np.ndarray]:
        return np.ones(max_epochs), np.zeros(max_epochs)
