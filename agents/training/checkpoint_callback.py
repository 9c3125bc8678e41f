"""Keeps a training run between its rollouts: finite weights, checkpoints, snapshots."""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from stable_baselines3.common.base_class import BaseAlgorithm

from myopia.agents.fast_ppo.rollout_callback import RolloutCallback
from myopia.agents.policies.agent import snapshots
from myopia.common.files import write_whole


class DivergedError(ValueError):
    """The weights of a run are no longer finite: training stops here, and says so."""


class RunCheckpointCallback(RolloutCallback):
    """Looks at the model before each rollout.

    Every `seconds` it calls `checkpoint`; each time the number of steps has doubled it keeps the
    weights in `checkpoint/weights/<steps>.safetensors`.
    """

    BETWEEN = 1000  # steps between two looks at the weights: a Q-learner's rollouts are short

    def __init__(self, folder: Path, seconds: float, checkpoint: Callable[[], None]) -> None:
        super().__init__()
        self.folder, self.seconds, self.checkpoint = folder, seconds, checkpoint
        self._written = time.monotonic()
        self.looked: int | None = None
        """After how many steps it looked last."""

    def _on_rollout_start(self) -> None:
        if self.looked is not None and self.num_timesteps - self.looked < self.BETWEEN:
            return
        self.looked = self.num_timesteps
        check_finite(self.model)
        if self.num_timesteps >= 2 * max(snapshots(self.folder), default=0):
            self.snapshot()
        if time.monotonic() - self._written >= self.seconds:
            self.checkpoint()
            self._written = time.monotonic()

    def snapshot(self) -> None:
        """Keep the present weights."""
        name = f"{self.num_timesteps:012d}.safetensors"
        save_weights(self.folder / "checkpoint" / "weights" / name, self.model)


def save_weights(path: Path, model: BaseAlgorithm) -> None:
    """Write the policy's weights to `path`."""
    weights = {name: value.cpu() for name, value in model.policy.state_dict().items()}
    write_whole(path, lambda temporary: save_file(weights, temporary))


def check_finite(model: BaseAlgorithm) -> None:
    """Raise DivergedError where a weight is NaN or infinite, naming the step and the weight."""
    for name, weight in model.policy.state_dict().items():
        if not torch.isfinite(weight).all():
            raise DivergedError(
                f"training diverged by step {model.num_timesteps}: {name} is no longer finite; "
                "expected to learn with a smaller learning_rate or max_grad_norm"
            )
