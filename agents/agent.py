"""A trained agent as a function from observations to action probabilities."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Discrete
from safetensors.torch import load_file
from stable_baselines3.common.policies import ActorCriticPolicy

from myopia.agents.presets import PRESETS, PPOPreset
from myopia.agents.run import RunConfig
from myopia.envs import World
from myopia.envs.observer import observation_space


class Agent:
    """Calling it maps observations (n, D) to action probabilities (n, A)."""

    def __init__(self, policy: ActorCriticPolicy) -> None:
        self.policy = policy

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        """Sampled probabilities, not the greedy choice."""
        with torch.no_grad():
            tensor = torch.as_tensor(observations, device=self.policy.device)
            distribution: Any = self.policy.get_distribution(tensor).distribution
            return distribution.probs.double().cpu().numpy()

    @staticmethod
    def load(folder: Path) -> "Agent":
        """The agent of a run folder, rebuilt from its JSON and its weights: nothing is unpickled.

        Raises ValueError where the folder is no finished run.
        """
        config = RunConfig.read(folder)
        weights = folder / "weights.safetensors"
        if not weights.exists():
            raise ValueError(f"{folder} has no weights.safetensors: the run has not finished")
        policy = build_policy(config.make_world(), PRESETS[config.algo])
        policy.load_state_dict(load_file(weights))
        policy.set_training_mode(False)
        return Agent(policy)


def policy_settings(preset: PPOPreset) -> dict[str, Any]:
    """SB3's `policy_kwargs`: separate towers of this preset's widths."""
    return {"net_arch": {"pi": list(preset.hidden), "vf": list(preset.hidden)}}


def build_policy(world: World, preset: PPOPreset) -> ActorCriticPolicy:
    """A fresh SB3 policy of the shape that `preset` trains in `world`."""
    # SB3 draws fresh weights from the global generator: whoever trains beside us must not notice
    with torch.random.fork_rng(devices=[]):
        return ActorCriticPolicy(
            observation_space(world),
            Discrete(len(world.actions)),
            lambda progress: preset.learning_rate,
            **policy_settings(preset),
        )
