"""Many runs in one program: seeds, and conditions of a study, side by side."""

import contextlib
import itertools
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stable_baselines3.common.callbacks import ProgressBarCallback

from myopia.agents.algorithms.ppo import PPO
from myopia.agents.fast_ppo.parallel import learn_in_parallel
from myopia.agents.runs.run import RunConfig, RunFolder
from myopia.agents.training.checkpoint_callback import DivergedError
from myopia.agents.training.device import choose_device
from myopia.agents.training.tensorboard import log_to_tensorboard
from myopia.agents.training.train import CHECKPOINT_SECONDS, clear, train, training
from myopia.common.search_path import safe_imports
from myopia.envs.observer import observation_space

logger = logging.getLogger(__name__)

MOST = 16
"""Runs side by side: with more of them there is little left to share."""


@safe_imports()
def train_many(
    configs: Sequence[RunConfig],
    outs: Sequence[str | Path] | None = None,
    device: str = "auto",
    progress: bool = False,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> list[Path]:
    """`train` for each of `configs` (into `outs`, default `runs/<id>`); returns the folders.

    Runs of PPO whose networks and rollouts have the same shape learn side by side: seeds, and
    worlds that differ in schedule, channel, gain or index mode. On a CPU each ends with the
    weights, bit for bit, that it has when trained alone. The others are trained one after another,
    and so are those beside which one diverged.
    """
    paths = [Path(out) for out in outs or [config.default_folder for config in configs]]
    if len(set(paths)) < len(configs):
        raise ValueError("two of the runs have the same folder, expected one for each")
    keys = [_shape(config) for config in configs]
    for config in configs:  # a wrong dial or device is found before anything is written
        choose_device(device, config.settings)
    folders = [RunFolder(out, config) for out, config in zip(paths, configs, strict=True)]
    left = [
        (key, config, folder)
        for key, config, folder in zip(keys, configs, folders, strict=True)
        if not folder.done
    ]
    for folder in folders:
        if folder.done:
            clear(folder.path)
    left.sort(key=lambda run: str(run[0]))
    for key, same in itertools.groupby(left, key=lambda run: run[0]):
        runs = [(config, folder) for _, config, folder in same]
        for start in range(0, len(runs), MOST):
            some = runs[start : start + MOST]
            if key is not None:
                with contextlib.suppress(DivergedError):  # one of them: it is told below
                    _side_by_side(some, device, progress, checkpoint_seconds)
            _one_by_one(some, device, progress, checkpoint_seconds)
    return paths


def _one_by_one(
    runs: Sequence[tuple[RunConfig, RunFolder]],
    device: str,
    progress: bool,
    checkpoint_seconds: float,
) -> None:
    """Train what is not done yet; one that diverges is told when the others are trained."""
    diverged = None
    for config, folder in runs:
        try:
            train(
                config,
                folder.path,
                device=device,
                progress=progress,
                checkpoint_seconds=checkpoint_seconds,
            )
        except DivergedError as error:
            diverged = diverged or error
    if diverged is not None:
        raise diverged


def _side_by_side(
    runs: Sequence[tuple[RunConfig, RunFolder]],
    device: str,
    progress: bool,
    checkpoint_seconds: float,
) -> None:
    first = runs[0][0]
    chosen, why = choose_device(device, first.settings)
    logger.info("%d runs side by side, device %s: %s", len(runs), chosen, why)
    with contextlib.ExitStack() as stack:
        learners = [
            stack.enter_context(training(config, folder, chosen, checkpoint_seconds))
            for config, folder in runs
        ]
        if progress:
            learners[0][1].append(ProgressBarCallback())
        # runs that were interrupted apart first go on apart
        learners.sort(key=lambda learner: learner[0].num_timesteps)
        for done, same in itertools.groupby(learners, key=lambda one: one[0].num_timesteps):
            together: list[Any] = list(same)
            for model, _ in together:
                log_to_tensorboard(model)
            learn_in_parallel(
                [model for model, _ in together],
                first.steps - done,
                [callbacks for _, callbacks in together],
                reset_num_timesteps=done == 0,
            )


def _shape(config: RunConfig) -> tuple[Any, ...] | None:
    """What runs that learn side by side agree in; None where a run learns alone."""
    settings, world = config.settings, config.make_world()
    if not isinstance(settings, PPO):
        return None
    sizes = ("num_envs", "n_steps", "batch_size", "n_epochs", "hidden")
    width = observation_space(world).shape[0]
    window = config.credit_mode.pending
    return (
        *(getattr(settings, name) for name in sizes),
        *(width, len(world.actions), window, config.steps),
    )
