"""A run folder: what was asked, what it became, and the agent."""

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from myopia.agents.algorithms.base import Algorithm
from myopia.agents.algorithms.presets import find_algorithm, format_algorithm
from myopia.agents.credit import Credit
from myopia.common.files import read_json, write_json
from myopia.common.links import check_links
from myopia.envs import World
from myopia.envs.registry import canonical_name, registered_world

FORMAT = 1
"""Raised when a run folder changes so that older code cannot read it."""


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """What a training run was asked to do; equal configs have equal results on a CPU.

    `world` is kept by the name under which other processes find it, `module:Class` for one's own;
    that module is not imported here, for the name may come from a file.
    `algo` is `ppo` or `ppo:gamma=0.4,hidden=32/32`; it is kept with every setting spelled out, so
    that a run stays what it was when a preset changes. `total_timesteps` is the preset's if not
    given. `credit` is lifetime, bootstrap, epoch or window:M.
    """

    world: str
    dials: dict[str, Any]
    algo: str = "ppo"
    credit: str = "lifetime"
    seed: int = 0
    total_timesteps: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "world", canonical_name(self.world))
        settings, steps = find_algorithm(self.algo, self.short_world)
        settings.accept(self.credit_mode)
        object.__setattr__(self, "algo", format_algorithm(settings))
        if self.total_timesteps is None:
            object.__setattr__(self, "total_timesteps", steps)
        if self.steps < 1:
            raise ValueError(f"total_timesteps must be at least 1, got {self.total_timesteps}")
        if not 0 <= self.seed < 1 << 32:
            raise ValueError(f"seed must lie in 0..{(1 << 32) - 1}, got {self.seed}")

    @property
    def steps(self) -> int:
        """Steps in the world, over all copies of it."""
        assert self.total_timesteps is not None
        return self.total_timesteps

    @property
    def settings(self) -> Algorithm:
        """The algorithm's settings."""
        return find_algorithm(self.algo, self.short_world)[0]

    @property
    def short_world(self) -> str:
        """The world's short name."""
        return self.world.rpartition(":")[2]

    @property
    def credit_mode(self) -> Credit:
        """What the learner is told at an epoch boundary."""
        return Credit.of(self.credit)

    @property
    def algorithm(self) -> str:
        """The algorithm's name."""
        return self.algo.partition(":")[0]

    @property
    def id(self) -> str:
        """A short hash of everything that was asked."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return (
            f"{self.short_world}-{self.algorithm}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
        )

    def make_world(self) -> World:
        """The world that the run trains in.

        Raises ValueError where it is somebody's own and its module is not imported yet.
        """
        return World.of(registered_world(self.world), **self.dials)

    @staticmethod
    def read(folder: Path) -> "RunConfig":
        """The config of a run folder. Raises ValueError where it is not one of this version's."""
        if not folder.is_dir():
            raise ValueError(f"{folder}: expected a run folder, but there is none")
        values = read_json(folder / "config.json")
        record = read_json(folder / "run.json") if (folder / "run.json").exists() else None
        written = record.get("format") if isinstance(record, dict) else record or FORMAT
        if written != FORMAT:
            raise ValueError(
                f"{folder}: a run folder of format {written}, expected {FORMAT}; this version of "
                "myopia cannot read it"
            )
        try:
            if not isinstance(values["world"], str) or not isinstance(values["dials"], dict):
                raise TypeError("its world or dials are no name and no object")
            return RunConfig(**values)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{folder}/config.json: not the config of a run: {error}") from None


class RunFolder:
    """`config.json`, `run.json`, and the result files; each is replaced whole."""

    def __init__(self, path: Path, config: RunConfig) -> None:
        """Open or create the folder.

        Raises ValueError where it holds another run, or links that lead out of it.
        """
        self.path, self.config = path, config
        check_run_links(path)
        if (path / "config.json").exists() and RunConfig.read(path) != config:
            raise ValueError(
                f"{path} holds a run with another config; expected the same settings, or a new "
                f"folder such as runs/{config.id}"
            )
        if not (path / "config.json").exists() and (path / "run.json").exists():
            raise ValueError(
                f"{path} holds a run without its config.json, so nobody knows what it is; expected "
                "a new folder"
            )
        path.mkdir(parents=True, exist_ok=True)
        write_json(path / "config.json", dataclasses.asdict(config))

    @property
    def done(self) -> bool:
        """Whether the run has finished, and its agent is there."""
        return is_done(self.path)

    @contextlib.contextmanager
    def recorded(self, device: str) -> Iterator[None]:
        """Write `run.json` around the training: running, then done, or failed and why."""
        self._earlier, self._began = 0.0, time.monotonic()
        self._record("running", device)
        try:
            yield
        except BaseException as error:  # an interrupt, too, is a cause that the folder should tell
            cause = f"{type(error).__name__}: {error}".rstrip(": ")
            with contextlib.suppress(OSError):  # a full disk has its own sentence already
                self._record("failed", device, cause)
            raise
        self._record("done", device)

    def seconds(self) -> float:
        """Wall time of the training so far, in every process that it took."""
        return self._earlier + time.monotonic() - self._began

    def add_seconds(self, seconds: float) -> None:
        """Count what an interrupted run took before."""
        self._earlier += seconds

    def _record(self, status: str, device: str, cause: str | None = None) -> None:
        write_json(
            self.path / "run.json",
            {
                "format": FORMAT,
                "status": status,
                "cause": cause,
                "seed": self.config.seed,
                "wall_seconds": round(self.seconds(), 3),
                "hardware": {
                    "machine": platform.machine(),
                    "device": device,
                    "device_name": torch.cuda.get_device_name() if device == "cuda" else "cpu",
                },
                "versions": versions(),
                "git_commit": git_commit(),
            },
        )


def check_run_links(folder: Path) -> None:
    """`check_links` for a run folder: Weights & Biases links from `wandb/` to its own caches."""
    check_links(folder, besides="wandb")


def is_done(folder: Path) -> bool:
    """Whether the run in a folder has finished, and its agent is there."""
    record, weights = folder / "run.json", folder / "weights.safetensors"
    return record.exists() and weights.exists() and read_json(record).get("status") == "done"


@functools.cache
def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide a result."""
    packages = ("myopia", "gymnasium", "stable-baselines3", "sb3-contrib", "numpy")
    found = {package: importlib.metadata.version(package) for package in packages}
    # torch's own word tells its build, too
    return {"python": sys.version.split()[0], **found, "torch": str(torch.__version__)}


@functools.cache
def git_commit() -> str | None:
    """The commit of the code that runs, or None outside a checkout."""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
