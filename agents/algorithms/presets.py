"""Algorithms as text: `ppo:gamma=0.4`, with the settings of the world where nothing is said."""

from myopia.agents.algorithms.base import ALGORITHMS, Algorithm
from myopia.common import specs


def find_algorithm(text: str, world: str) -> tuple[Algorithm, int]:
    """The settings that `ppo` or `ppo:gamma=0.4,hidden=32/32` asks for in the world of this name.

    What is not said is the preset's for that world. Returns the settings and the preset's number
    of timesteps. Raises ValueError naming the nearest algorithm or setting.
    """
    name, given = specs.split(text, "algorithm", ALGORITHMS)
    cls = ALGORITHMS[name]
    preset = dict(cls.worlds.get(world, {}))
    steps = preset.pop("total_timesteps", cls.total_timesteps)
    return specs.build(cls, {**preset, **given}, f"algorithm {text!r}", "setting"), steps


def format_algorithm(settings: Algorithm, *, defaults: bool = True) -> str:
    """The text that `find_algorithm` reads back to `settings`, whatever the presets say then.

    Without `defaults`, settings at the default of their class are left out.
    """
    return specs.format_spec(settings.kind, settings, defaults=defaults)
