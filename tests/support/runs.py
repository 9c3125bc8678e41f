"""Runs that take a fraction of a second."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.numpy import save_file
from stable_baselines3.common.callbacks import BaseCallback

from myopia.agents.runs.checkpoint import checksum
from myopia.agents.runs.run import RunConfig
from myopia.agents.training.train import train
from myopia.envs import make_world

ALGO = "ppo:num_envs=4,n_steps=16,batch_size=32,hidden=8"


def tiny(**changes) -> RunConfig:
    """The config of such a run."""
    settings = {"algo": ALGO, "total_timesteps": 2400, **changes}
    return RunConfig("Work", make_world("Work").dials(), **settings)


class Interrupt(BaseCallback):
    """Stops a run in the middle of a rollout, as Ctrl-C would."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def _on_step(self) -> bool:
        if self.num_timesteps >= self.steps:
            raise KeyboardInterrupt
        return True


def interrupted(folder: Path, asked: RunConfig | None = None, steps: int = 2000) -> Path:
    """A run that was interrupted, with its checkpoint."""
    with pytest.raises(KeyboardInterrupt):
        train(asked or tiny(), folder, checkpoint_seconds=0, callbacks=[Interrupt(steps)])
    return folder


def forged(state: Path, change: Callable[[dict, dict], None]) -> None:
    """Change facts and arrays of a checkpoint, and give it the checksum of what it then holds."""
    with safe_open(state, framework="numpy") as file:
        facts = json.loads(file.metadata()["facts"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(facts, arrays)
    text = json.dumps(facts)
    save_file(arrays, state, metadata={"facts": text, "checksum": checksum(arrays, text)})


def copied(source: Path, target: Path) -> Path:
    """A copy of a folder; what is in the target's place already stays."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    return target
