"""Training: an SB3 agent in a world, into a run folder."""

import logging
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from stable_baselines3.common.callbacks import BaseCallback, ProgressBarCallback

from myopia.agents.agent import policy_settings
from myopia.agents.bootstrap import BatchedPPO
from myopia.agents.files import write_whole
from myopia.agents.presets import PRESETS, PPOPreset
from myopia.agents.run import RunConfig, RunFolder
from myopia.envs import make_sb3

logger = logging.getLogger(__name__)

DEVICES = ("auto", "cpu", "cuda")


def train(
    config: RunConfig, out: Path | None = None, device: str = "auto", progress: bool = False
) -> Path:
    """Train as `config` says, into `out` (default `runs/<id>`), and return the folder.

    A finished run is left as it is. Raises ValueError for a folder that holds another run.
    """
    world = config.make_world()  # a wrong dial is found before anything is written
    device = choose_device(device)
    folder = RunFolder(out or Path("runs") / config.id, config)
    if folder.done:
        logger.info("%s is done already", folder.path)
        return folder.path
    started = time.monotonic()
    folder.record("running", 0.0, device)
    try:
        preset = PRESETS[config.algo]
        env = make_sb3(world, preset.num_envs, credit=config.credit, seed=config.seed)
        model = build(env, preset, config.seed, device, folder.path / "tensorboard")
        callback: BaseCallback | None = ProgressBarCallback() if progress else None
        model.learn(config.total_timesteps, callback=callback, tb_log_name="train")
        write_whole(folder.path / "model.zip", model.save)
        weights = {name: value.cpu() for name, value in model.policy.state_dict().items()}
        write_whole(folder.path / "weights.safetensors", lambda path: save_file(weights, path))
    except BaseException as error:  # an interrupt, too, is a cause that the folder should tell
        cause = f"{type(error).__name__}: {error}".rstrip(": ")
        folder.record("failed", time.monotonic() - started, device, cause)
        raise
    folder.record("done", time.monotonic() - started, device)
    return folder.path


def build(env: Any, preset: PPOPreset, seed: int, device: str, logs: Path | None) -> BatchedPPO:
    """SB3's PPO on `env` with the settings of `preset`."""
    rate = preset.learning_rate
    return BatchedPPO(
        "MlpPolicy",
        env,
        learning_rate=(lambda left: rate * left) if preset.anneal else rate,
        n_steps=preset.n_steps,
        batch_size=preset.batch_size,
        n_epochs=preset.n_epochs,
        gamma=preset.gamma,
        gae_lambda=preset.gae_lambda,
        ent_coef=preset.ent_coef,
        clip_range=preset.clip_range,
        policy_kwargs=policy_settings(preset),
        tensorboard_log=str(logs) if logs else None,
        seed=seed,
        device=device,
    )


def choose_device(device: str) -> str:
    """`auto` is the CPU: stepping SB3 with networks this small, a GPU waits for Python."""
    if device not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}, got {device!r}")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda: this machine's torch sees no CUDA device, expected cpu")
    return "cpu" if device == "auto" else device
