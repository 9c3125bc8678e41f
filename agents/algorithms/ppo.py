"""PPO (arXiv 1707.06347), as Stable-Baselines3 has it."""

import dataclasses
from typing import Any

import stable_baselines3
from stable_baselines3.common.vec_env import VecEnv
from typing_extensions import override

from myopia.agents.algorithms.base import algorithm
from myopia.agents.algorithms.on_policy import Clipped
from myopia.agents.credit import CreditedRollouts
from myopia.agents.fast_ppo.ppo import FastPPO
from myopia.envs.sb3 import WorldVecEnv


class CreditedPPO(CreditedRollouts, stable_baselines3.PPO):
    """SB3's own PPO under a credit mode: for envs that are no tables."""


@algorithm
@dataclasses.dataclass(frozen=True)
class PPO(Clipped):
    """Proximal policy optimisation."""

    model_class = CreditedPPO
    total_timesteps = 400_000
    worlds = {  # noqa: RUF012
        "Offers": {"total_timesteps": 1_000_000},
        "Orchard": {"total_timesteps": 1_000_000},
    }

    @override
    def model_for(self, env: VecEnv) -> Any:
        """On the tables of a world, without leaving the device."""
        return FastPPO if isinstance(env, WorldVecEnv) else self.model_class
