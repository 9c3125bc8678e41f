"""What the world is, what was trained in it, and in what the conditions differ."""

import inspect
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from myopia.agents.runs.run import RunConfig
from myopia.analysis.report.results import Results
from myopia.analysis.report.section import decimal, fill, section
from myopia.envs.registry import registered_world
from myopia.envs.world import World


@section(place=5, title="What was asked")
def setting(results: Results) -> Markup:
    """The story of the world, its schedule, the training, and a table of the conditions."""
    configs = {name: runs[0].config for name, runs in results.conditions.items()}
    first = next(iter(configs.values()))
    return fill(
        "setting",
        world=_world(first),
        config=first,
        preset=first.algo.partition(":")[0],
        gamma=getattr(first.settings, "gamma", None),
        changes={name: _changes(first, config) for name, config in configs.items()},
        seeds={name: len(runs) for name, runs in results.conditions.items()},
        missing=results.missing,
    )


def _world(config: RunConfig) -> Mapping[str, Any] | None:
    """None where the world is somebody's own and not known here."""
    try:
        task = registered_world(config.world)
    except ValueError:
        return None
    world = World.of(task, **config.dials)
    weight, upkeep = world.weight_upkeep
    return {
        "name": world.name,
        "story": inspect.cleandoc(task.__doc__ or "").partition("\n###")[0],
        "actions": world.actions,
        "epochs": world.max_epochs,
        "steps": world.epoch_length,
        "cutoff": world.cutoff,
        "schedule": _runs(weight.tolist(), upkeep.tolist()),
    }


def _runs(weight: Sequence[float], upkeep: Sequence[float]) -> list[tuple[str, str, str]]:
    """Epochs, weight and upkeep; neighbours that have the same in one row."""
    rows = []
    numbered = enumerate(zip(weight, upkeep, strict=True))
    for (w, u), same in itertools.groupby(numbered, key=lambda item: item[1]):
        first, *others = [k for k, _ in same]
        epochs = f"{first} to {others[-1]}" if others else str(first)
        rows.append((epochs, decimal(w, 2), decimal(u, 2)))
    return rows


def _changes(first: RunConfig, config: RunConfig) -> dict[str, tuple[Any, Any]]:
    """Word -> what the first condition has, what this one has."""
    mine, theirs = (
        {
            "world": one.world,
            **one.dials,
            "algo": one.algo,
            "credit": one.credit,
            "total_timesteps": one.total_timesteps,
        }
        for one in (config, first)
    )
    words = [*theirs, *(word for word in mine if word not in theirs)]
    return {
        word: (theirs.get(word, "–"), mine.get(word, "–"))
        for word in words
        if theirs.get(word) != mine.get(word)
    }
