"""A run folder: what was asked, what it became, and the agent."""

import dataclasses
import hashlib
import importlib.metadata
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from myopia.agents.files import read_json, write_json
from myopia.agents.presets import PRESETS
from myopia.envs import World, make_world
from myopia.envs.choices import one_of

FORMAT = 1
"""Raised when a run folder changes so that older code cannot read it."""


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """What a training run was asked to do; equal configs have equal results on a CPU."""

    world: str
    dials: dict[str, Any]
    algo: str = "ppo"
    credit: str = "lifetime"
    seed: int = 0
    total_timesteps: int = PRESETS["ppo"].total_timesteps

    def __post_init__(self) -> None:
        one_of("algorithm", self.algo, PRESETS)
        if self.total_timesteps < 1:
            raise ValueError(f"total_timesteps must be at least 1, got {self.total_timesteps}")
        if not 0 <= self.seed < 1 << 32:
            raise ValueError(f"seed must lie in 0..{(1 << 32) - 1}, got {self.seed}")

    @property
    def id(self) -> str:
        """A short hash of everything that was asked."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return f"{self.world}-{self.algo}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"

    def make_world(self) -> World:
        """The world that the run trains in."""
        return make_world(self.world, **self.dials)

    @staticmethod
    def read(folder: Path) -> "RunConfig":
        """The config of a run folder. Raises ValueError where it is not one."""
        if not folder.is_dir():
            raise ValueError(f"{folder}: expected a run folder, but there is none")
        values = read_json(folder / "config.json")
        try:
            return RunConfig(**values)
        except TypeError as error:
            raise ValueError(f"{folder}/config.json: not the config of a run: {error}") from None


class RunFolder:
    """`config.json`, `run.json`, and the result files; each is replaced whole."""

    def __init__(self, path: Path, config: RunConfig) -> None:
        """Open or create the folder. Raises ValueError where it holds another run."""
        self.path, self.config = path, config
        if (path / "config.json").exists() and RunConfig.read(path) != config:
            raise ValueError(
                f"{path} holds a run with another config; expected the same settings, or a new "
                f"folder such as runs/{config.id}"
            )
        path.mkdir(parents=True, exist_ok=True)
        write_json(path / "config.json", dataclasses.asdict(config))

    @property
    def done(self) -> bool:
        """Whether the run has finished."""
        record = self.path / "run.json"
        return record.exists() and read_json(record).get("status") == "done"

    def record(
        self, status: str, wall_seconds: float, device: str, cause: str | None = None
    ) -> None:
        """Write `run.json`: status running, done or failed (and why), and where it ran."""
        write_json(
            self.path / "run.json",
            {
                "format": FORMAT,
                "status": status,
                "cause": cause,
                "seed": self.config.seed,
                "wall_seconds": round(wall_seconds, 3),
                "hardware": {
                    "machine": platform.machine(),
                    "device": device,
                    "device_name": torch.cuda.get_device_name() if device == "cuda" else "cpu",
                },
                "versions": versions(),
                "git_commit": git_commit(),
            },
        )


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide a result."""
    packages = ("myopia", "gymnasium", "stable-baselines3", "torch", "numpy")
    found = {package: importlib.metadata.version(package) for package in packages}
    return {"python": sys.version.split()[0], **found}


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
