"""Training: an SB3 agent in a world, into a run folder."""

import contextlib
import dataclasses
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, ProgressBarCallback

from myopia.agents.runs.checkpoint import load_checkpoint, save_checkpoint
from myopia.agents.runs.continuation import Origin, begin, check_continues, continuation, origin_of
from myopia.agents.runs.run import RunConfig, RunFolder
from myopia.agents.training.checkpoint_callback import (
    RunCheckpointCallback,
    check_finite,
    save_weights,
)
from myopia.agents.training.device import choose_device
from myopia.agents.training.episode_log import LifetimeCallback, LifetimeLog, remove_parts
from myopia.agents.training.rng_state import preserve_rng_state
from myopia.agents.training.tensorboard import log_to_tensorboard
from myopia.common.errors import first_line
from myopia.common.files import write_whole
from myopia.common.search_path import safe_imports
from myopia.envs import World
from myopia.envs.task import Task

logger = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 30.0
"""Between two checkpoints; each takes some milliseconds, or tens of them with a replay buffer."""


@safe_imports()
def train(
    config: RunConfig | str | type[Task] | World | None = None,
    out: str | Path | None = None,
    *,
    continue_from: str | Path | None = None,
    device: str = "auto",
    progress: bool = False,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    callbacks: Sequence[BaseCallback] = (),
    **words: Any,
) -> Path:
    """Train an agent, and return its run folder.

        train("Investment", "runs/mine", gain=0.5, credit="epoch", seed=1)
        train(RunConfig("Investment", {"gain": 0.5}, credit="epoch", seed=1), "runs/mine")
        train(out="runs/on", continue_from="runs/mine", credit="lifetime", total_timesteps=100_000)

    A finished run is left as it is, and an interrupted one goes on from its checkpoint: on a CPU
    its weights are those of a run that was never interrupted. The global random generators, which
    SB3 uses, are left as they were.

    Args:
        config: what to do; or a world, and the rest in `words`.
        out: the run folder, `runs/<id>` if not given.
        continue_from: a finished run whose weights and optimiser it begins with. World, dials,
            algorithm and credit are that run's unless given; lifetimes, draws, the counter of
            steps, schedules and a replay buffer begin anew. `run.json` keeps the lineage.
        device: auto, cpu or cuda.
        progress: show a bar.
        checkpoint_seconds: between two checkpoints.
        callbacks: SB3's; what one with `state()` and `restore(state)` gives, JSON, is kept in the
            checkpoint.
        **words: algo, credit, seed, total_timesteps, or dials of the world.

    Raises:
        ValueError: the folder holds another run or a damaged checkpoint, a word is wrong, or the
            run to continue has not finished or has networks of another shape.
        DivergedError: the weights are no longer finite (a ValueError).
    """
    if out == "":
        raise ValueError("out: expected a folder, got ''; the current one is called '.'")
    origin = None if continue_from is None else origin_of(continue_from)
    config = _config_of(config, origin, words)
    config.make_world()  # a wrong dial is found before anything is written
    chosen, why = choose_device(device, config.settings)
    logger.info("device %s: %s", chosen, why)
    folder = RunFolder(config.default_folder if out is None else Path(out), config)
    if folder.done:
        logger.info("%s is done already", folder.path)
        clear(folder.path)
        return folder.path
    with training(config, folder, chosen, checkpoint_seconds, callbacks, origin) as started:
        model, everything = started
        if progress:
            everything.append(ProgressBarCallback())
        learn(model, config.steps, everything)
    return folder.path


def _config_of(config: Any, origin: Origin | None, words: dict[str, Any]) -> RunConfig:
    """What a run was asked to be, in any of the ways that `train` takes."""
    if isinstance(config, RunConfig):
        if words:
            raise ValueError(f"a RunConfig says it all, got {', '.join(sorted(words))} beside it")
        if origin is not None:
            config = dataclasses.replace(config, continues=config.continues or origin.name)
            check_continues(origin, config)
        return config
    if origin is not None:
        return continuation(origin, config, **words)
    if config is None:
        raise ValueError("expected a world to train in, or a run to continue from")
    return RunConfig.of(config, **words)


@contextlib.contextmanager
def training(
    config: RunConfig,
    folder: RunFolder,
    device: str,
    checkpoint_seconds: float,
    callbacks: Sequence[BaseCallback] = (),
    origin: Origin | None = None,
) -> Iterator[tuple[Any, list[BaseCallback]]]:
    """A model to train, from the folder's checkpoint if there is one, and what keeps its folder.

    Around the training: what it leaves is written at the end, and failures are recorded.
    """
    state = folder.path / "checkpoint" / "state.safetensors"
    if state.exists():
        folder.check_numerics()
    elif origin is not None:
        folder.lineage = origin.next_lineage
    elif config.continues is not None:
        raise ValueError(
            f"{folder.path} goes on from {config.continues}: expected that run beside it, as "
            "--continue-from, continue_from in Python"
        )
    log = LifetimeLog(folder.path / "episodes.parquet", config.make_world().max_epochs)
    with folder.recorded(device), preserve_rng_state():
        settings, world = config.settings, config.make_world()
        env = settings.env(world, config.credit_mode, config.seed)
        logs = folder.path / "tensorboard"
        model = settings.build(env, config.credit_mode, config.seed, device, logs)

        def checkpoint() -> None:
            folder.check_place()
            extra = {
                "seconds": folder.seconds(),
                "callbacks": _states(callbacks),
                "episodes": log.checkpoint(model.num_timesteps),
            }
            save_checkpoint(state, model, config.id, extra)

        if state.exists():
            names = (config.id, config.old_id)
            extra = load_checkpoint(state, model, names)
            folder.add_seconds(extra["seconds"])
            log.restore(extra.get("episodes"), model.num_timesteps)
            _restore(callbacks, extra.get("callbacks"), state)
            logger.info("%s goes on after %d steps", folder.path, model.num_timesteps)
        elif origin is not None:
            begin(model, origin)
        checkpoint_callback = RunCheckpointCallback(folder.path, checkpoint_seconds, checkpoint)
        try:
            yield model, [checkpoint_callback, LifetimeCallback(log), *callbacks]
            check_finite(model)
            folder.check_place()
            finish(folder.path, model, checkpoint_callback, log)
        finally:
            close_logger(model)
    # only now: a kill before run.json says done must not lose what the run goes on from
    clear(folder.path)


def clear(folder: Path) -> None:
    """Remove what a run that is done went on from; again, where a kill came in between."""
    with contextlib.suppress(OSError):  # it may lie on a read-only disk
        (folder / "checkpoint" / "state.safetensors").unlink(missing_ok=True)
        remove_parts(folder)


def learn(model: BaseAlgorithm, total_timesteps: int, callbacks: list[BaseCallback]) -> None:
    """SB3's `learn`, up to `total_timesteps` in all; NaN is told as what it is."""
    log_to_tensorboard(model)
    try:
        model.learn(
            total_timesteps - model.num_timesteps,
            callback=callbacks,
            reset_num_timesteps=model.num_timesteps == 0,
        )
    except ValueError:
        # torch refuses NaN logits in the middle of an update, before anybody else can look
        check_finite(model)
        raise
    check_finite(model)


def close_logger(model: BaseAlgorithm) -> None:
    """End what SB3's logger keeps open: a thread and a file of TensorBoard's for each training."""
    if hasattr(model, "_logger"):
        model.logger.close()


def finish(
    folder: Path, model: BaseAlgorithm, checkpoint_callback: RunCheckpointCallback, log: LifetimeLog
) -> None:
    """Write what a trained model leaves in its run folder."""
    checkpoint_callback.snapshot()
    log.write()
    write_whole(folder / "model.zip", model.save)
    save_weights(folder / "weights.safetensors", model)


def _with_state(callbacks: Sequence[BaseCallback]) -> dict[str, Any]:
    names = (getattr(one, "state_name", type(one).__name__) for one in callbacks)
    return {name: one for name, one in zip(names, callbacks, strict=True) if hasattr(one, "state")}


def _restore(callbacks: Sequence[BaseCallback], states: Any, path: Path) -> None:
    """Give callbacks what `_states` took of them; what was asked for only now has none."""
    for name, callback in _with_state(callbacks).items():
        try:
            if name in states:
                callback.restore(states[name])
        except (TypeError, KeyError, ValueError, AttributeError, IndexError) as error:
            raise ValueError(
                f"{path} is damaged (the state of {name}: {first_line(error)}): delete it to train "
                "from the start"
            ) from None


def _states(callbacks: Sequence[BaseCallback]) -> dict[str, Any]:
    return {name: callback.state() for name, callback in _with_state(callbacks).items()}
