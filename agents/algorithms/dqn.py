"""DQN (Mnih et al. 2015), as Stable-Baselines3 has it."""

import dataclasses
from typing import Any

import stable_baselines3
import torch
from stable_baselines3.dqn.policies import DQNPolicy
from typing_extensions import override

from myopia.agents.algorithms.base import algorithm
from myopia.agents.algorithms.q_learning import QLearning


@algorithm
@dataclasses.dataclass(frozen=True)
class DQN(QLearning):
    """Deep Q-learning with replay and a target network."""

    model_class = stable_baselines3.DQN
    policy_class = DQNPolicy
    network = "q_net.q_net"
    total_timesteps = 150_000

    @override
    def values(self, policy: Any, observations: torch.Tensor) -> torch.Tensor:
        return policy.q_net(observations)
