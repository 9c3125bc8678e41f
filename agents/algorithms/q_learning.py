"""What the Q-learning algorithms share: settings, replay, greedy judgement."""

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv
from typing_extensions import override

from myopia.agents.algorithms.base import (
    Algorithm,
    check_widths,
    one_hot_of_best,
)
from myopia.agents.policies.widths import layer_widths
from myopia.common.errors import check_at_least, check_positive
from myopia.common.memory import check_fits
from myopia.envs import World, make_sb3
from myopia.envs.credit.credit import Credit
from myopia.envs.observer import observation_space


@dataclasses.dataclass(frozen=True)
class QLearning(Algorithm):
    """Settings of a Q-learner, by SB3's names; `train_freq` counts steps of the whole batch."""

    network: ClassVar[str]  # of the values, within the policy
    greedy: ClassVar[bool] = True

    num_envs: int = 16
    learning_rate: float = 1e-3
    gamma: float = 1.0
    buffer_size: int = 100_000
    learning_starts: int = 5_000
    batch_size: int = 256
    train_freq: int = 4
    gradient_steps: int = 4
    target_update_interval: int = 2_000
    exploration_fraction: float = 0.5
    exploration_final_eps: float = 0.05
    max_grad_norm: float = 10.0
    hidden: tuple[int, ...] = (64, 64)

    def __post_init__(self) -> None:
        check_positive(self, "num_envs", "learning_rate", "buffer_size", "batch_size", "train_freq")
        check_positive(self, "gradient_steps", "target_update_interval", "max_grad_norm")
        check_at_least(self, learning_starts=0, exploration_fraction=0, exploration_final_eps=0)
        check_widths("hidden", self.hidden)
        if max(self.exploration_fraction, self.exploration_final_eps) > 1:
            raise ValueError(
                "exploration_fraction and exploration_final_eps must lie in 0..1, got "
                f"{self.exploration_fraction} and {self.exploration_final_eps}"
            )
        if not 0 <= self.gamma <= 1:
            raise ValueError(f"gamma must lie in 0..1, got {self.gamma}")

    @override
    def accept(self, credit: Credit) -> None:
        """A replayed step has no rollout to take later rewards from."""
        if credit.flag is None:
            raise ValueError(
                f"credit {credit} needs an on-policy algorithm such as ppo, got {self.kind}"
            )

    @override
    def env(self, world: World, credit: Credit, seed: int) -> VecEnv:
        """Boundaries are marked in the dones."""
        check_fits("num_envs", self.num_envs, 16 * observation_space(world).shape[0] + 200)
        return make_sb3(world, self.num_envs, credit=str(credit), seed=seed)

    @override
    def build(
        self, env: VecEnv, credit: Credit, seed: int, device: str, logs: Path | None
    ) -> BaseAlgorithm:
        entries = env.observation_space.shape[0]  # type: ignore[index]
        self.check_size(entries, env.action_space.n)  # type: ignore[attr-defined]
        check_fits("buffer_size", self.buffer_size, 2 * 4 * entries + 24)
        shared = (field.name for field in dataclasses.fields(QLearning))
        settings = {
            name: getattr(self, name) for name in shared if name not in ("num_envs", "hidden")
        }
        return self.model_class(
            "MlpPolicy",
            env,
            policy_kwargs=self.policy_settings(),
            tensorboard_log=str(logs) if logs else None,
            seed=seed,
            device=device,
            **settings,
            **self.own_settings(),
        )

    def own_settings(self) -> dict[str, Any]:
        """What this algorithm's constructor takes beyond the shared settings: its own fields."""
        shared = {field.name for field in dataclasses.fields(QLearning)}
        own = (field.name for field in dataclasses.fields(self) if field.name not in shared)
        return {name: getattr(self, name) for name in own}

    @override
    def policy_settings_of(
        self, weights: Mapping[str, torch.Tensor], inputs: int, actions: int
    ) -> dict[str, Any]:
        return {"net_arch": layer_widths(weights, self.network, inputs)[:-1]}

    @override
    def probabilities(
        self, policy: Any, observations: torch.Tensor, allowed: np.ndarray
    ) -> torch.Tensor:
        """All on the best action."""
        return one_hot_of_best(self.values(policy, observations))

    @abstractmethod
    def values(self, policy: Any, observations: torch.Tensor) -> torch.Tensor:
        """Action values (n, A)."""
