"""PPO that never tries a shutdown where it is not allowed (arXiv 2006.14171)."""

import dataclasses
from typing import Any

import numpy as np
import sb3_contrib
import torch
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from typing_extensions import override

from myopia.agents.algorithms.base import algorithm
from myopia.agents.algorithms.on_policy import Clipped
from myopia.agents.credit import CreditedMaskableBuffer, CreditedRollouts


class CreditedMaskablePPO(CreditedRollouts, sb3_contrib.MaskablePPO):
    """sb3-contrib's MaskablePPO under a credit mode."""

    buffer_class = CreditedMaskableBuffer


@algorithm
@dataclasses.dataclass(frozen=True)
class MaskablePPO(Clipped):
    """PPO on the masks that the world gives."""

    model_class = CreditedMaskablePPO
    policy_class = MaskableActorCriticPolicy
    total_timesteps = 400_000

    @override
    def probabilities(
        self, policy: Any, observations: torch.Tensor, allowed: np.ndarray
    ) -> torch.Tensor:
        """None on what is not allowed."""
        return policy.get_distribution(observations, action_masks=allowed).distribution.probs
