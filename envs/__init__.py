"""Worlds: epochs, an epoch index, a shutdown action and a reward that decays past a cutoff.

Importing this package registers the worlds that ship with Gymnasium; it never imports torch.
"""

from typing import TYPE_CHECKING

from myopia.common.lazy import lazy_names
from myopia.common.search_path import import_libraries

import_libraries("gymnasium", "gymnasium.vector", "tqdm")

from myopia.envs.registry import (  # noqa: E402
    WORLDS,
    find_world,
    make_world,
    register,
    world_id,
)
from myopia.envs.schedule import Schedule  # noqa: E402
from myopia.envs.task import Task  # noqa: E402
from myopia.envs.world import World  # noqa: E402

WORLDS.discover()

if TYPE_CHECKING:
    from myopia.envs.credit_flags import with_credit
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


_NAMES = {
    "EpochWrapper": "myopia.envs.wrapper:EpochWrapper",
    "make_sb3": "myopia.envs.sb3:make_sb3",
    "with_credit": "myopia.envs.credit_flags:with_credit",
}
"""What many users of the worlds do without: Stable-Baselines3, and torch with it."""

__getattr__, _lazily = lazy_names(__name__, _NAMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *_lazily()})
