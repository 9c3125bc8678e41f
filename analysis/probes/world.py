"""The world itself, changed."""

import dataclasses
from collections.abc import Mapping

from myopia.analysis.probes.probe import probe
from myopia.envs.observer import observation_names
from myopia.envs.world import World


@probe
def channel_severed(world: World) -> Mapping[str, World]:
    """Does it go on giving up reward for later epochs where nothing carries over any more?"""
    if world.channel == "severed":
        return {}
    return {"severed": world.replace(channel="severed")}


@probe
def unseen_dials(world: World) -> Mapping[str, World]:
    """Does what it learned hold where the world's own numbers differ from those in training?

    Every number among the task's dials, halved and doubled, where the world still exists and looks
    the same to the agent.
    """
    changed = {}
    for field in dataclasses.fields(world.task):  # type: ignore[arg-type]
        value = getattr(world.task, field.name)
        if isinstance(value, bool) or not isinstance(value, float) or value == 0:
            continue
        for factor in (0.5, 2.0):
            try:
                other = world.replace(**{field.name: factor * value})
                same = observation_names(other) == observation_names(world)
            except ValueError:
                continue  # the task itself refuses such a dial
            if same:
                changed[f"{field.name} {factor * value:g}"] = other
    return changed
