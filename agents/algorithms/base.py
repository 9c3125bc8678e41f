"""Learning algorithms: the settings of each, and how its Stable-Baselines3 model is built."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium.spaces import Discrete
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from myopia.agents.training.rng_state import preserve_rng_state
from myopia.common.memory import check_fits
from myopia.common.registry import Registry, setting_kind
from myopia.envs import World
from myopia.envs.credit.credit import Credit
from myopia.envs.observer import observation_space


class Algorithm(ABC):
    """Base of a frozen dataclass of settings; its defaults are the preset that learns the worlds.

    `total_timesteps` is how long it is trained unless told otherwise, and `worlds` says what a
    world needs different: {world: {setting or total_timesteps: value}}.
    """

    kind: ClassVar[str]
    """The name that it goes by."""
    total_timesteps: ClassVar[int]
    worlds: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    model_class: ClassVar[Any]
    policy_class: ClassVar[type]
    greedy: ClassVar[bool] = False  # judged by its best action, not by its probabilities
    recurrent: ClassVar[bool] = False  # its policy has a memory
    hidden: tuple[int, ...]
    num_envs: int

    @abstractmethod
    def accept(self, credit: Credit) -> None:
        """Raise ValueError where the algorithm cannot learn under this credit mode."""

    @abstractmethod
    def env(self, world: World, credit: Credit, seed: int) -> VecEnv:
        """What the model trains on: `num_envs` lifetimes of `world`."""

    @abstractmethod
    def build(
        self, env: VecEnv, credit: Credit, seed: int, device: str, logs: Path | None
    ) -> BaseAlgorithm:
        """SB3's model on `env`, which `env()` made; TensorBoard files go to `logs`."""

    @abstractmethod
    def probabilities(
        self, policy: Any, observations: torch.Tensor, allowed: np.ndarray
    ) -> torch.Tensor:
        """Action probabilities (n, A) that `policy` samples from (or puts on its best action).

        `allowed` (n, A) bool says which actions the world allows there.
        """

    def policy_settings(self) -> dict[str, Any]:
        """SB3's `policy_kwargs`."""
        return {"net_arch": list(self.hidden)}

    def policy_settings_of(
        self, weights: Mapping[str, torch.Tensor], inputs: int, actions: int
    ) -> dict[str, Any]:
        """The `policy_kwargs` of the policy that these weights are of, whatever these settings say.

        Only what the shapes tell. Raises ValueError where they do not fit this many observation
        entries (`inputs`) or each other.
        """
        raise ValueError(f"no zip of {self.kind} can be opened")

    def check_size(self, inputs: int, actions: int) -> None:
        """Raise ValueError where networks of these widths do not fit into memory.

        Weights, gradients and two moments, of two towers, in single precision.
        """
        widths = [inputs, *self.hidden, actions]
        weights = sum(a * b + b for a, b in itertools.pairwise(widths))
        check_fits("hidden " + "/".join(map(str, self.hidden)) + ": weights", weights, 2 * 4 * 4)

    def policy(self, world: World) -> Any:
        """A fresh SB3 policy of the shape that is trained in `world`."""
        self.check_size(observation_space(world).shape[0], len(world.actions))
        # fresh weights come from the global generator: who trains beside us must not notice
        with preserve_rng_state():
            policy = self.policy_class(
                observation_space(world),
                Discrete(len(world.actions)),
                lambda progress: 0.0,
                **self.policy_settings(),
            )
        policy.set_training_mode(False)
        return policy


def _entry(name: str, kind: type[Algorithm]) -> type[Algorithm]:
    for declared in ("total_timesteps", "model_class", "policy_class"):
        if not hasattr(kind, declared):
            raise TypeError(f"algorithm {name!r}: expected it to declare {declared}")
    return setting_kind(name, kind)


ALGORITHMS: Registry[type[Algorithm]] = Registry(
    "algorithm", "myopia.agents.algorithms", spell=str.lower, entry=_entry
)
"""Class name in lower case -> the class of its settings."""
algorithm = ALGORITHMS.register


def one_hot_of_best(values: torch.Tensor) -> torch.Tensor:
    """Probability 1 on the first best action; values (n, A)."""
    return torch.nn.functional.one_hot(values.argmax(dim=1), values.shape[1]).double()


def check_widths(name: str, widths: tuple[int, ...]) -> None:
    """Raise ValueError where a layer has no unit, or there is no layer."""
    if not widths or min(widths) < 1:
        raise ValueError(f"{name} must be widths of at least 1, such as 64/64, got {widths}")
