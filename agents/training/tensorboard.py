"""Where the TensorBoard files of a run go."""

import re
from pathlib import Path
from typing import Any

from stable_baselines3.common.logger import configure


def log_to_tensorboard(model: Any) -> None:
    """Let `model` log into `train_<n>` in its `tensorboard_log`, the last one if it has begun.

    SB3 itself looks for the last n with a glob pattern made of the folder's name: where there is a
    `[` or `*` in it, it finds none, or that of another run.
    """
    folder = Path(model.tensorboard_log)
    names = [one.name for one in folder.iterdir()] if folder.is_dir() else []
    numbers = [int(found[1]) for name in names if (found := re.fullmatch(r"train_(\d{1,9})", name))]
    last = max(numbers, default=0)
    number = max(last, 1) if model.num_timesteps else last + 1
    model.set_logger(configure(str(folder / f"train_{number}"), ["tensorboard"]))
