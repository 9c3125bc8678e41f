"""Weights & Biases, imported only when it is asked for."""

import contextlib
import dataclasses
import importlib
from collections.abc import Iterator
from pathlib import Path

from myopia.agents.runs.run import RunConfig, check_run_links


@contextlib.contextmanager
def tracked(config: RunConfig, folder: Path) -> Iterator[None]:
    """Send what TensorBoard gets during the block to W&B, too.

    Raises ValueError, before anything is written, where wandb is not installed.
    """
    try:
        wandb = importlib.import_module("wandb")
    except ImportError:
        raise ValueError(
            "--track needs wandb, which is not installed: expected pip install 'myopia[track]'"
        ) from None
    for settings in (Path("wandb") / "settings", Path(".wandb") / "settings"):
        if settings.exists():  # it could name the server that is sent the key
            raise ValueError(f"--track would take {settings} for yours, expected none here")
    check_run_links(folder)
    folder.mkdir(parents=True, exist_ok=True)
    run = wandb.init(
        project="myopia",
        name=config.id,
        dir=str(folder),
        config=dataclasses.asdict(config),
        sync_tensorboard=True,
    )
    try:
        yield
    finally:
        run.finish()
