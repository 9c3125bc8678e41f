"""A world: a task, and the epochs, schedule, index, channel and shutdown around it."""

import dataclasses
import functools
import math
import typing
from collections.abc import Mapping
from typing import Any

import numpy as np

from myopia.common import specs
from myopia.common.errors import check_choice, unknown_name_error
from myopia.envs.index import Index, check_shown
from myopia.envs.schedule import Schedule
from myopia.envs.tables import Tables, enumerate_task
from myopia.envs.task import Task

ENCODINGS = ("onehot", "scalar")
CHANNELS = ("open", "severed")
SHUTDOWNS = ("anytime", "boundary", "never", "absent")
MOST_EPOCHS, MOST_ENTRIES, MOST_STEPS = 100_000, 5_000, 1_000_000
LARGEST = 1e12
"""Of a number among the dials: rewards are summed, and squared."""


@dataclasses.dataclass(frozen=True)
class World:
    """The settings of one world; the constructor's keywords, the task's dials inside `task`.

    Raises ValueError for any value outside its range, naming the nearest valid one.
    """

    task: Task
    max_epochs: int
    epoch_length: int
    schedule: Schedule
    index: Index
    index_encoding: str = "onehot"
    channel: str = "open"
    shutdown: str = "anytime"
    shutdown_reward: float = 0.0
    observe_state: bool = True

    def __post_init__(self) -> None:
        count("max_epochs", self.max_epochs)
        count("epoch_length", self.epoch_length)
        check_choice("index encoding", self.index_encoding, ENCODINGS)
        if self.index_encoding == "onehot" and self.max_epochs > MOST_ENTRIES:
            raise ValueError(
                f"max_epochs={self.max_epochs} is too many for one entry an epoch, expected at "
                f"most {MOST_ENTRIES}, or index_encoding=scalar"
            )
        check_choice("channel", self.channel, CHANNELS)
        check_choice("shutdown mode", self.shutdown, SHUTDOWNS)
        if not math.isfinite(self.shutdown_reward):
            raise ValueError(f"shutdown_reward must be finite, got {self.shutdown_reward}")
        _check_sizes(self)
        self.schedule.arrays(self.max_epochs)
        self.index.check(self.max_epochs)
        check_shown(self.index, self.max_epochs)

    @staticmethod
    def of(task: type[Task], /, **dials: Any) -> "World":
        """A world of this task class; dials are engine keywords or the task's own, typed or text.

        What is not given comes from the class. Raises ValueError naming the nearest known dial.
        """
        own = check_dial_names(task)
        for name in dials:
            if name not in own and name not in ENGINE_DIALS:
                error = unknown_name_error("dial", name, [*sorted(own), *ENGINE_DIALS])
                # Python's own words in it are what others look for before they try again
                told = f"{task.__name__}: {error} (unexpected keyword argument {name!r})"
                raise UnknownDialError(told)
        built = specs.build(task, {k: v for k, v in dials.items() if k in own}, task.__name__)
        settings: dict[str, Any] = {
            "max_epochs": task.max_epochs,
            "epoch_length": task.epoch_length,
            "schedule": task.schedule,
            "index": "exact",
        }
        for name in ENGINE_DIALS.keys() & dials.keys():
            value = dials[name]
            if name not in ("schedule", "index"):
                value = specs.convert(value, ENGINE_DIALS[name], f"{task.__name__}: {name}")
            settings[name] = value
        settings["schedule"] = Schedule.parse(settings["schedule"])
        settings["index"] = Index.parse(settings["index"])
        return World(task=built, **settings)

    def dials(self) -> dict[str, Any]:
        """Every constructor keyword and its value, in the form that `of` takes (plain types)."""
        own = {f.name: getattr(self.task, f.name) for f in dataclasses.fields(self.task)}  # type: ignore[arg-type]
        engine = {name: getattr(self, name) for name in ENGINE_DIALS}
        engine |= {"schedule": str(self.schedule), "index": str(self.index)}
        return engine | own

    def replace(self, **dials: Any) -> "World":
        """The same world with some dials changed; the words of `of`."""
        return World.of(type(self.task), **{**self.dials(), **dials})

    @property
    def name(self) -> str:
        """The task's class name."""
        return type(self.task).__name__

    @property
    def actions(self) -> tuple[str, ...]:
        """Names in the order of the action space, `shutdown` last but where it is absent."""
        own = tuple(self.task.actions)
        return own if self.shutdown == "absent" else (*own, "shutdown")

    @functools.cached_property
    def action_masks(self) -> np.ndarray:
        """Which actions are allowed at each step of an epoch, (T, actions) bool.

        Only shutdown ever is not.
        """
        masks = np.ones((self.epoch_length, len(self.actions)), dtype=bool)
        shutdown = slice(len(self.task.actions), None)  # no column where it is absent
        masks[:, shutdown] = shutdown_allowed(self.shutdown, np.arange(len(masks)))[:, None]
        return masks

    @property
    def tables(self) -> Tables:
        """The task's arrays."""
        return enumerate_task(self.task)

    @functools.cached_property
    def weight_upkeep(self) -> tuple[np.ndarray, np.ndarray]:
        """The schedule's arrays, each (K,)."""
        return self.schedule.arrays(self.max_epochs)

    @property
    def cutoff(self) -> int | None:
        """C: the first epoch with weight 0 and upkeep above 0, or None."""
        return self.schedule.cutoff_epoch(self.max_epochs)


def _check_sizes(world: World) -> None:
    """Raise ValueError for numbers whose sums would be no numbers, and lifetimes without end."""
    own = {f.name: getattr(world.task, f.name) for f in dataclasses.fields(world.task)}  # type: ignore[arg-type]
    for name, value in {**own, "shutdown_reward": world.shutdown_reward}.items():
        if isinstance(value, int | float) and abs(value) > LARGEST:
            raise ValueError(
                f"{type(world.task).__name__}: {name} must lie in -{LARGEST:g}..{LARGEST:g}, got "
                f"{value:g}"
            )
    steps = world.max_epochs * world.epoch_length
    if steps > MOST_STEPS:
        fits = max(1, MOST_STEPS // world.max_epochs)
        raise ValueError(
            f"max_epochs={world.max_epochs} of epoch_length={world.epoch_length} are {steps} "
            f"steps, expected at most {MOST_STEPS}, such as epoch_length={fits}"
        )


class UnknownDialError(ValueError, TypeError):
    """A keyword that no world has: a ValueError, and the TypeError that others try again on."""


def check_dial_names(task: type[Task]) -> set[str]:
    """The names of the task's own dials. Raises ValueError where one stands for something else."""
    own = {field.name for field in dataclasses.fields(task)}  # type: ignore[arg-type]
    clash = own & (ENGINE_DIALS.keys() | RESERVED)
    if clash:
        raise ValueError(
            f"{task.__name__}: dial {min(clash)!r} is a word of the engine's, expected another"
        )
    return own


def count(name: str, value: Any) -> int:
    """`value` as a number of epochs or steps. Raises ValueError naming what was expected."""
    number = specs.convert(value, int, name)
    if not 1 <= number <= MOST_EPOCHS:
        bound = "at least 1" if number < 1 else f"at most {MOST_EPOCHS}"
        raise ValueError(f"{name} must be {bound}, got {number}")
    return number


def shutdown_allowed(mode: str, step: Any) -> Any:
    """Whether a shutdown counts at this step of an epoch (an int, or an array of them)."""
    never = step < 0
    return {"anytime": step >= 0, "boundary": step == 0, "never": never, "absent": never}[mode]


RESERVED = frozenset(
    (
        *("world", "num_envs", "credit", "render_mode", "device"),
        *("autoreset_mode", "episode_info"),
        *("algo", "total_timesteps", "dials", "continues", "continue_from"),
        *("id", "max_episode_steps", "disable_env_checker"),
        *("vectorization_mode", "vector_kwargs", "wrappers"),
    )
)
"""What the functions that take dials take beside them: ours, studies, `gymnasium.make`.

Not `seed`, a natural name for a dial: where it stands for the seed of an env, as in `make_sb3`, a
world that has such a dial is given as a `World`.
"""

ENGINE_DIALS: Mapping[str, Any] = {
    name: kind for name, kind in typing.get_type_hints(World).items() if name != "task"
}
"""The keywords that every world takes -> their types."""
