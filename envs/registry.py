"""The worlds by name: one decorator registers a task with Gymnasium, the command line and tests."""

import os
import sys
from pathlib import Path
from typing import Any, TypeVar

import gymnasium

from myopia.common.errors import unknown_name_error
from myopia.common.registry import Registry
from myopia.common.search_path import home_of, import_from, import_named
from myopia.envs.task import INCENTIVES, Task
from myopia.envs.world import World, check_dial_names

DECLARED = {
    "actions": 'actions = ("work", "rest")',
    "features": 'features = ("wealth",)',
    "incentives": 'incentives = ("invest",), or () for a control',
}
"""What a task must say of itself, beside its methods -> how."""


def _entry(name: str, task: type[Task]) -> type[Task]:
    """The class itself, known to Gymnasium as `world_id(name)`."""
    params = getattr(task, "__dataclass_params__", None)
    if params is None or not params.frozen or not issubclass(task, Task):
        raise ValueError(
            f"{name}: expected a Task decorated with @dataclass(frozen=True) below @register"
        )
    missing = sorted(task.__abstractmethods__)
    if missing:
        raise ValueError(f"{name}: a Task must define {', '.join(missing)}")
    for declared, example in DECLARED.items():
        value = getattr(task, declared, None)
        if value is None:
            raise ValueError(f"{name}: a Task must define {declared}, such as {example}")
        if not isinstance(value, property) and (
            isinstance(value, str) or not all(isinstance(one, str) for one in value)
        ):
            raise ValueError(f"{name}: expected {declared} as {example}, got {value!r}")
    check_dial_names(task)
    for incentive in task.incentives:
        if incentive not in INCENTIVES:
            raise ValueError(f"{name}: {unknown_name_error('incentive', incentive, INCENTIVES)}")
    gymnasium.register(
        id=world_id(name),
        entry_point="myopia.envs.env:EpochEnv",
        vector_entry_point="myopia.envs.vector:EpochVectorEnv",
        kwargs={"world": _path(task)},
    )
    return task


WORLDS: Registry[type[Task]] = Registry("world", "myopia.envs.worlds", entry=_entry)
"""Short name -> task class."""

T = TypeVar("T", bound=type[Task])


def register(task: T) -> T:
    """Class decorator: make `task` a world, `myopia/<class name>-v0` in Gymnasium.

    Raises ValueError where the class is no frozen dataclass, declares an unknown incentive, or
    takes the name of another world.
    """
    return WORLDS.register(task)


def world_id(name: str) -> str:
    """The Gymnasium id of a world."""
    return f"myopia/{name}-v0"


def find_world(name: str) -> type[Task]:
    """The task class of a world that the caller names: by short name or id, or `module:name`.

    A `module:` before it is imported where no such world is registered, so this is for names that
    were typed; those that a file holds go to `registered_world`. Raises ValueError naming the
    nearest world.
    """
    module, _, rest = name.rpartition(":")
    if not module or (found := _registered(name)) is None:
        if module:
            import_worlds(module)
        found = _shipped_or_own(rest)
    return found


def import_worlds(module: str) -> None:
    """Import a module of worlds that the user named: installed, or in the current folder.

    Or a file, `folder/worlds.py`, wherever it lies. Raises ValueError where there is none, or where
    it fails.
    """
    try:
        if module.endswith(".py"):
            folder, name = os.path.split(os.path.abspath(module.removesuffix(".py")))
            import_from(name, folder)
        else:
            import_named(module)
    except (Exception, SystemExit) as error:  # whatever the file does wrong
        what = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
        raise ValueError(f"cannot import module {module!r}: {what}") from error


def registered_world(name: str) -> type[Task]:
    """The task class of a world that ships or is registered already; nothing is imported.

    For names that come from files. Raises ValueError naming the nearest world, or, for
    `module:Class`, what has to be imported first.
    """
    found = _registered(name)
    if found is not None:
        return found
    module, _, rest = name.rpartition(":")
    if module:
        if not all(part.isidentifier() for part in module.split(".")):
            raise ValueError(f"{name!r} is no world, expected a name, or module:Class")
        raise ValueError(
            f"{name!r} is a world of somebody's own, and a file may not say what is run: expected "
            f"--world-module {module} if {module}.py is yours (in Python: import {module} first)"
        )
    return _shipped_or_own(rest)


def is_registered(name: str) -> bool:
    """Whether a world of this name ships, or was registered by a module that is imported."""
    return _registered(name) is not None or ":" not in name


def _registered(name: str) -> type[Task] | None:
    for task in WORLDS.values():
        if name in (_path(task), world_name(task)):
            return task
    return None


def _shipped_or_own(name: str) -> type[Task]:
    short = name.removeprefix("myopia/").removesuffix("-v0")
    if short not in WORLDS:
        raise unknown_name_error("world", short, WORLDS)
    return WORLDS[short]


def canonical_name(name: str) -> str:
    """`world_name` of a registered world; `module:Class` of one that is not stays as it is.

    Raises ValueError naming the nearest world.
    """
    module, _, short = name.rpartition(":")
    if module and short.isidentifier() and _registered(name) is None:
        return name
    return world_name(registered_world(name))


def world_name(task: type[Task]) -> str:
    """The name by which other processes find a world: short, or `module:Class` for one's own.

    A script that is run stands for the module that it would be.
    """
    module = task.__module__
    if module.startswith("myopia.envs.worlds."):
        return task.__name__
    if module in ("__main__", "__mp_main__"):  # the second one is the first in a worker process
        script = getattr(sys.modules[module], "__file__", None)
        module = module if script is None else Path(script).stem
    return f"{module}:{task.__name__}"


def world_module(task: type[Task]) -> tuple[str, str] | None:
    """The module of a world of one's own and the folder it lies in, for other processes.

    None for a world that ships, and for one of the script that is run, which they run as well.
    """
    module = task.__module__
    if module.startswith("myopia.envs.worlds.") or module in ("__main__", "__mp_main__"):
        return None
    return module, home_of(module)


def make_world(name: str | type[Task], /, **dials: Any) -> World:
    """The settings of a world by name (or task class), dials typed or as text."""
    return World.of(find_world(name) if isinstance(name, str) else name, **dials)


def _path(task: type[Task]) -> str:
    return f"{task.__module__}:{task.__qualname__}"
