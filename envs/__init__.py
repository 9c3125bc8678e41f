"""Worlds: epochs, an epoch index, a shutdown action and a reward that decays past a cutoff.

Importing this package registers the worlds that ship with Gymnasium; it never imports torch.
"""

from typing import TYPE_CHECKING, Any

from myopia.common.search_path import import_libraries, safe_imports

import_libraries("gymnasium", "gymnasium.vector")

from myopia.envs.registry import (  # noqa: E402
    WORLDS,
    find_world,
    make_world,
    register,
    register_shipped_worlds,
    world_id,
)
from myopia.envs.schedule import Schedule  # noqa: E402
from myopia.envs.task import Task  # noqa: E402
from myopia.envs.world import World  # noqa: E402

register_shipped_worlds()

if TYPE_CHECKING:
    from myopia.envs.credit import with_credit
    from myopia.envs.sb3 import make_sb3
    from myopia.envs.wrapper import EpochWrapper

__all__ = [
    "WORLDS",
    "EpochWrapper",
    "Schedule",
    "Task",
    "World",
    "find_world",
    "make_sb3",
    "make_world",
    "register",
    "with_credit",
    "world_id",
]


def __getattr__(name: str) -> Any:
    # Stable-Baselines3 imports torch, and many users of the worlds need neither
    with safe_imports():
        if name == "make_sb3":
            from myopia.envs.sb3 import make_sb3

            return make_sb3
        if name == "with_credit":
            from myopia.envs.credit import with_credit

            return with_credit
        if name == "EpochWrapper":
            from myopia.envs.wrapper import EpochWrapper

            return EpochWrapper
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
