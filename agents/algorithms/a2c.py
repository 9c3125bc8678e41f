"""A2C (arXiv 1602.01783, synchronous), as Stable-Baselines3 has it."""

import dataclasses

import stable_baselines3

from myopia.agents.algorithms.base import algorithm
from myopia.agents.algorithms.on_policy import OnPolicy
from myopia.agents.credit import CreditedRollouts


class CreditedA2C(CreditedRollouts, stable_baselines3.A2C):
    """SB3's A2C under a credit mode."""


@algorithm
@dataclasses.dataclass(frozen=True)
class A2C(OnPolicy):
    """Advantage actor-critic: one step on each rollout."""

    model_class = CreditedA2C
    total_timesteps = 1_000_000
    num_envs: int = 64
    n_steps: int = 16
