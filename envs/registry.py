"""The worlds by name: one decorator registers a task with Gymnasium, the command line and tests."""

import importlib
import pkgutil
import sys
from pathlib import Path
from typing import Any, TypeVar

import gymnasium

from myopia.envs.choices import unknown
from myopia.envs.task import INCENTIVES, Task
from myopia.envs.world import World

WORLDS: dict[str, type[Task]] = {}
"""Short name -> task class, in the order of registration."""

T = TypeVar("T", bound=type[Task])


def register(task: T) -> T:
    """Class decorator: make `task` a world, `myopia/<class name>-v0` in Gymnasium.

    Raises ValueError where the class is no frozen dataclass, declares an unknown incentive, or
    takes the name of another world.
    """
    name = task.__name__
    params = getattr(task, "__dataclass_params__", None)
    if params is None or not params.frozen or not issubclass(task, Task):
        raise ValueError(
            f"{name}: expected a Task decorated with @dataclass(frozen=True) below @register"
        )
    missing = sorted(task.__abstractmethods__)
    if missing:
        raise ValueError(f"{name}: a Task must define {', '.join(missing)}")
    for incentive in task.incentives:
        if incentive not in INCENTIVES:
            raise ValueError(f"{name}: {unknown('incentive', incentive, INCENTIVES)}")
    if name in WORLDS and _path(WORLDS[name]) != _path(task):
        raise ValueError(f"a world named {name!r} is registered already, by {_path(WORLDS[name])}")
    WORLDS[name] = task
    gymnasium.register(
        id=world_id(name),
        entry_point="myopia.envs.env:EpochEnv",
        vector_entry_point="myopia.envs.vector:EpochVectorEnv",
        kwargs={"task": _path(task)},
    )
    return task


def world_id(name: str) -> str:
    """The Gymnasium id of a world."""
    return f"myopia/{name}-v0"


def find_world(name: str) -> type[Task]:
    """The task class of a world, by short name or id, `module:` before it imports that module.

    Raises ValueError naming the nearest world.
    """
    module, _, rest = name.rpartition(":")
    if module:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise ValueError(f"world {name!r}: cannot import module {module!r}: {error}") from error
    short = rest.removeprefix("myopia/").removesuffix("-v0")
    if short not in WORLDS:
        raise unknown("world", short, WORLDS)
    return WORLDS[short]


def world_name(task: type[Task]) -> str:
    """The name by which other processes find a world: short, or `module:Class` for one's own.

    A script that is run stands for the module that it would be.
    """
    module = task.__module__
    if module.startswith("myopia.envs.worlds."):
        return task.__name__
    if module == "__main__" and (script := getattr(sys.modules[module], "__file__", None)):
        module = Path(script).stem
    return f"{module}:{task.__name__}"


def make_world(name: str | type[Task], **dials: Any) -> World:
    """The settings of a world by name (or task class), dials typed or as text."""
    return World.of(resolve_world(name) if isinstance(name, str) else name, **dials)


def resolve_world(name: str) -> type[Task]:
    """A world by name, or by the path `module:Class` that Gymnasium's registry keeps."""
    for task in WORLDS.values():
        if name in (_path(task), world_name(task)):
            return task
    return find_world(name)


def _path(task: type[Task]) -> str:
    return f"{task.__module__}:{task.__qualname__}"


def register_shipped_worlds() -> None:
    """Import every module of `myopia.envs.worlds`; each registers its world."""
    package = importlib.import_module("myopia.envs.worlds")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
