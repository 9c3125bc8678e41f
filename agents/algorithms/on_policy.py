"""What the on-policy algorithms share: settings, and an entropy bonus that fades."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv
from typing_extensions import override

from myopia.agents.algorithms.base import Algorithm, check_widths
from myopia.agents.policies.widths import layer_widths
from myopia.common.errors import check_at_least, check_positive
from myopia.common.memory import check_fits
from myopia.envs import World, make_sb3
from myopia.envs.credit.credit import Credit
from myopia.envs.observer import observation_space


@dataclasses.dataclass(frozen=True)
class OnPolicy(Algorithm):
    """Settings of an actor-critic, by SB3's names.

    The learning rate falls linearly to 0 over the training where `anneal` is set. The entropy
    bonus falls from `ent_coef` to 0 over the first `ent_fraction` of it: worlds whose best policy
    lies behind several choices that cost something at first are not found without it.
    """

    policy_name: ClassVar[str] = "MlpPolicy"
    policy_class: ClassVar[type] = ActorCriticPolicy
    shared: ClassVar[tuple[str, ...]] = (
        *("n_steps", "gamma", "gae_lambda"),
        *("ent_coef", "vf_coef", "max_grad_norm"),
    )
    """Settings that go to the constructor of the model under their own names."""

    num_envs: int = 256
    n_steps: int = 40
    learning_rate: float = 2e-3
    anneal: bool = True
    gamma: float = 1.0
    gae_lambda: float = 0.9
    ent_coef: float = 1.0
    ent_fraction: float = 0.8
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5
    hidden: tuple[int, ...] = (64, 64)

    def __post_init__(self) -> None:
        check_positive(self, "num_envs", "n_steps", "learning_rate", "ent_fraction")
        check_positive(self, "max_grad_norm")
        check_widths("hidden", self.hidden)
        check_at_least(self, ent_coef=0, vf_coef=0)
        if not (0 <= self.gamma <= 1 and 0 <= self.gae_lambda <= 1):
            raise ValueError(
                f"gamma and gae_lambda must lie in 0..1, got {self.gamma} and {self.gae_lambda}"
            )

    @override
    def accept(self, credit: Credit) -> None:
        credit.check_rollout(self.n_steps)

    @override
    def env(self, world: World, credit: Credit, seed: int) -> VecEnv:
        """Boundaries are marked in the infos, and dones are lifetimes."""
        entries = observation_space(world).shape[0]
        check_fits("num_envs", self.num_envs, self.n_steps * 100 + 16 * entries)
        return make_sb3(world, self.num_envs, seed=seed)

    @override
    def build(
        self, env: VecEnv, credit: Credit, seed: int, device: str, logs: Path | None
    ) -> BaseAlgorithm:
        self.check_size(env.observation_space.shape[0], env.action_space.n)  # type: ignore
        rate = self.learning_rate
        model = self.model_for(env)(
            self.policy_name,
            env,
            credit=str(credit),
            learning_rate=LinearSchedule(rate, 0.0, 1.0) if self.anneal else rate,
            policy_kwargs=self.policy_settings(),
            tensorboard_log=str(logs) if logs else None,
            seed=seed,
            device=device,
            **{name: getattr(self, name) for name in self.shared},
            **self.own_settings(),
        )
        model.ent_schedule = LinearSchedule(self.ent_coef, 0.0, self.ent_fraction)
        return model

    def model_for(self, env: VecEnv) -> Any:
        """The class of the model that trains on `env`."""
        return self.model_class

    def own_settings(self) -> dict[str, Any]:
        """What this algorithm's constructor takes beyond the shared settings: its own fields."""
        shared = {field.name for field in dataclasses.fields(OnPolicy)}
        own = (field.name for field in dataclasses.fields(self) if field.name not in shared)
        return {name: getattr(self, name) for name in own}

    def policy_settings(self) -> dict[str, Any]:
        """Separate towers of the same widths for policy and value."""
        return {"net_arch": {"pi": list(self.hidden), "vf": list(self.hidden)}}

    @override
    def policy_settings_of(
        self, weights: Mapping[str, torch.Tensor], inputs: int, actions: int
    ) -> dict[str, Any]:
        """The towers may differ."""
        towers = {"pi": "mlp_extractor.policy_net", "vf": "mlp_extractor.value_net"}
        return {"net_arch": {k: layer_widths(weights, name, inputs) for k, name in towers.items()}}

    @override
    def probabilities(
        self, policy: Any, observations: torch.Tensor, allowed: np.ndarray
    ) -> torch.Tensor:
        return policy.get_distribution(observations).distribution.probs.double()


@dataclasses.dataclass(frozen=True)
class Clipped(OnPolicy):
    """What PPO and its relatives add: several passes over a rollout, within a clipped ratio."""

    batch_size: int = 2048
    n_epochs: int = 4
    clip_range: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "n_epochs", "clip_range")
        check_at_least(self, batch_size=2)
