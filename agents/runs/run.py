"""A run folder: what was asked, what it became, and the agent."""

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import platform
import re
import subprocess
import sys
import time
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from myopia.agents.algorithms.base import ALGORITHMS, Algorithm
from myopia.agents.algorithms.presets import find_algorithm, format_algorithm
from myopia.common import specs
from myopia.common.errors import first_line
from myopia.common.files import locked, read_object, sweep, write_json
from myopia.common.links import check_default, check_links
from myopia.envs import World, make_world
from myopia.envs.credit.credit import Credit
from myopia.envs.registry import canonical_name, is_registered, registered_world, world_name
from myopia.envs.task import Task

FORMAT = 2
"""Raised when a run folder changes so that older code cannot read it.

Finished folders of format 1 are read; unfinished ones have other numerics.
"""

NUMERICS = 2
"""Raised when the same config ends with other weights, bit for bit; a folder without it has 1."""

MOST_STEPS = 10**15
"""Of a training: years on any machine."""

ORIGIN = re.compile(r"[\w.-]{1,200}@[0-9a-f]{16}", re.ASCII)

SETTINGS = ("algo", "credit", "seed", "total_timesteps")
"""The fields of a config beside the world and its dials, in the words of a study."""


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """What a training run was asked to do; equal configs have equal results on a CPU.

    `world` is kept by the name under which other processes find it, `module:Class` for one's own;
    that module is not imported here, for the name may come from a file. Every dial and every
    setting is kept spelled out, so that a run stays what it was when a preset changes, and that
    configs are equal where only one of them says what is the default.

    Args:
        world: name of the world.
        dials: of the world; what is not given is at its default.
        algo: `ppo`, or with settings, `ppo:gamma=0.4,hidden=32/32`.
        credit: lifetime, bootstrap, epoch, discount:D or window:M.
        seed: of the world, the weights and the sampling.
        total_timesteps: steps in the world, over all copies of it; the preset's if not given.
        continues: the run whose weights and optimiser it begins with, as `Origin.name` has it.

    Raises:
        ValueError: naming the nearest known world, dial, algorithm, setting or credit mode.
    """

    world: str
    dials: dict[str, Any]
    algo: str = "ppo"
    credit: str = "lifetime"
    seed: int = 0
    total_timesteps: int | None = None
    continues: str | None = None

    def __post_init__(self) -> None:
        given = dict(self.dials)
        object.__setattr__(self, "world", canonical_name(self.world))
        if is_registered(self.world):
            object.__setattr__(self, "dials", self.make_world().dials())
        settings, steps = find_algorithm(self.algo, self.short_world)
        settings.accept(self.credit_mode)
        object.__setattr__(self, "credit", str(self.credit_mode))
        object.__setattr__(self, "algo", format_algorithm(settings))
        if self.total_timesteps is None:
            object.__setattr__(self, "total_timesteps", steps)
        if not 1 <= self.steps <= MOST_STEPS:
            raise ValueError(
                f"total_timesteps must lie in 1..{MOST_STEPS}, got {self.total_timesteps}"
            )
        if not 0 <= self.seed < 1 << 32:
            raise ValueError(f"seed must lie in 0..{(1 << 32) - 1}, got {self.seed}")
        if self.continues is not None and not ORIGIN.fullmatch(self.continues):
            raise ValueError(
                f"continues: expected a run's id and digest, got {str(self.continues)[:80]!r}"
            )
        object.__setattr__(self, "_given", given)

    @staticmethod
    def of(world: str | type[Task] | World, **words: Any) -> "RunConfig":
        """A config from words: settings of the run (`SETTINGS`), or dials of its world.

        Raises ValueError naming what a word was expected to be.
        """
        settings = {
            name: specs.convert(words.pop(name), kind, name)
            for name, kind in typing.get_type_hints(RunConfig).items()
            if name in SETTINGS and name in words
        }
        made = world.replace(**words) if isinstance(world, World) else make_world(world, **words)
        return RunConfig(world_name(type(made.task)), made.dials(), **settings)

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
        """A short hash of what was asked, without what is at its default.

        So the id of a run stays when a dial, a setting or a field is added.
        """
        cls = ALGORITHMS[self.algorithm]
        dials = self.dials
        if is_registered(self.world):
            plain = World.of(registered_world(self.world)).dials()
            dials = {name: value for name, value in dials.items() if value != plain[name]}
        asked = {
            "world": self.world,
            "dials": dials,
            "algo": format_algorithm(self.settings, defaults=False),
            "credit": self.credit,
            "seed": self.seed,
            "total_timesteps": self.total_timesteps,
            "continues": self.continues,
        }
        defaults = {
            "dials": {},
            "credit": "lifetime",
            "seed": 0,
            "total_timesteps": cls.total_timesteps,
        }
        return self._hashed({k: v for k, v in asked.items() if defaults.get(k) != v})

    @property
    def old_id(self) -> str:
        """The id as it was before defaults were left out."""
        given = self._given  # type: ignore[reportAttributeAccessIssue]
        asked = {**dataclasses.asdict(self), "dials": given}
        if self.continues is None:  # it had no such field
            del asked["continues"]
        return self._hashed(asked)

    def _hashed(self, asked: dict[str, Any]) -> str:
        text = json.dumps(asked, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        return f"{self.short_world}-{self.algorithm}-{digest}"

    @property
    def default_folder(self) -> Path:
        """`runs/<id>`, or the folder of the run under its old id where there is one.

        Raises ValueError where it is a link.
        """
        old = Path("runs") / self.old_id
        return check_default(old if (old / "config.json").exists() else Path("runs") / self.id)

    @property
    def is_known(self) -> bool:
        """Whether its world ships, or its module was imported."""
        try:
            registered_world(self.world)
        except ValueError:
            return False
        return True

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
        values = read_object(folder / "config.json")
        if (folder / "run.json").exists():
            read_record(folder)
        try:
            if not isinstance(values["world"], str) or not isinstance(values["dials"], dict):
                raise TypeError("its world or dials are no name and no object")
            # a setting that is younger than the file is at its default, whatever a preset says
            settings, _ = find_algorithm(values.get("algo", RunConfig.algo), "")
            return RunConfig(**{**values, "algo": format_algorithm(settings)})
        except (TypeError, KeyError, AttributeError, ValueError, ArithmeticError) as error:
            raise ValueError(
                f"{folder}/config.json: not the config of a run: {first_line(error)}"
            ) from None


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
        self.lineage = _lineage_of(path)
        """The runs that its weights come from, the oldest first."""
        if not (path / "config.json").exists():  # a finished run may lie on a read-only disk
            path.mkdir(parents=True, exist_ok=True)
            write_json(path / "config.json", dataclasses.asdict(config))

    @property
    def done(self) -> bool:
        """Whether the run has finished, and its agent is there."""
        return is_done(self.path)

    @contextlib.contextmanager
    def recorded(self, device: str) -> Iterator[None]:
        """Write `run.json` around the training: running, then done, failed or interrupted.

        Raises ValueError where another process trains in this folder.
        """
        self._earlier, self._began = 0.0, time.monotonic()
        with locked(self.path):
            sweep(self.path)
            self._place = _place_of(self.path)
            self._record("running", device)
            try:
                yield
                self.check_place()
            except BaseException as error:  # an interrupt, too, is a cause that the folder tells
                if isinstance(error, OSError):
                    self.check_place()  # what it misses is where the folder went
                if self._place == _place_of(self.path):
                    with contextlib.suppress(OSError):  # a full disk has its own sentence already
                        self._record(*_ending(error, device))
                raise
            self._record("done", device)

    def check_place(self) -> None:
        """Raise ValueError where the folder is no longer where the training began."""
        if self._place != _place_of(self.path):
            raise ValueError(
                f"{self.path} was renamed or removed while its run was trained: expected it to "
                "stay until the run is done"
            )

    def check_numerics(self) -> None:
        """Raise ValueError where this run was begun by a version that ends with other weights."""
        begun = read_record(self.path).get("numerics", 1)
        if begun != NUMERICS:
            raise ValueError(
                f"{self.path} was begun with numerics {begun}, and this version, which has "
                f"{NUMERICS}, would end with other weights: expected the version that began it, or "
                "a new folder"
            )

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
                "numerics": NUMERICS,
                "status": status,
                "cause": cause,
                "seed": self.config.seed,
                "wall_seconds": round(self.seconds(), 3),
                "hardware": {
                    "machine": platform.machine(),
                    "device": device,
                    "device_name": torch.cuda.get_device_name() if device == "cuda" else "cpu",
                },
                "lineage": self.lineage,
                "versions": versions(),
                "git_commit": git_commit(),
            },
        )


def _ending(error: BaseException, device: str) -> tuple[str, str, str]:
    """Status, device and cause, as `_record` takes them."""
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return "interrupted", device, "the same command goes on"
    return "failed", device, f"{type(error).__name__}: {error}".rstrip(": ")


def _place_of(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _lineage_of(folder: Path) -> list[dict[str, Any]]:
    return read_record(folder)["lineage"] if (folder / "run.json").exists() else []


def check_run_links(folder: Path) -> None:
    """`check_links` for a run folder: Weights & Biases links from `wandb/` to its own caches."""
    check_links(folder, besides="wandb")


STATUSES = ("running", "done", "failed", "interrupted")


def read_record(folder: Path) -> dict[str, Any]:
    """What `run.json` says. Raises ValueError where it does not say it as `_record` does."""
    path = folder / "run.json"
    record = read_object(path)
    written, begun = record.get("format"), record.setdefault("numerics", 1)
    if isinstance(written, bool) or written not in (1, FORMAT):
        raise ValueError(
            f"{folder}: a run folder of format {str(written)[:80]}, expected {FORMAT}; this "
            "version of myopia cannot read it"
        )
    if record.get("status") not in STATUSES or not isinstance(record.get("cause"), str | None):
        raise ValueError(f"{path} is damaged: expected a status of {', '.join(STATUSES)}, a cause")
    lineage = record.setdefault("lineage", [])
    if not isinstance(lineage, list) or not all(isinstance(one, dict) for one in lineage):
        raise ValueError(f"{path} is damaged: expected a list of runs as lineage")
    if isinstance(begun, bool) or not isinstance(begun, int):
        raise ValueError(f"{path} is damaged: expected a whole number as numerics")
    return record


def is_done(folder: Path) -> bool:
    """Whether the run in a folder has finished, and its agent is there."""
    record, weights = folder / "run.json", folder / "weights.safetensors"
    return record.exists() and weights.exists() and read_record(folder)["status"] == "done"


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
