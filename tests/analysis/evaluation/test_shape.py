"""Entries of every world pass; what a report could not be made of is refused, by its place."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest

from myopia.analysis.evaluation.evaluation import evaluate_agent
from myopia.analysis.evaluation.shape import check_entries
from myopia.analysis.measures.measure import MEASURES, measure
from myopia.envs import World, make_world

PATH = Path("run/evaluation.json")


def entries_of(world: World) -> dict:
    chances = np.full(len(world.actions), 1 / len(world.actions))
    found = evaluate_agent(world, lambda seen: np.tile(chances, (len(seen), 1)), "fair")
    return json.loads(json.dumps(found.json()))


@pytest.mark.parametrize(
    "dials", [{}, {"max_epochs": 5, "schedule": "constant"}, {"shutdown": "never"}], ids=str
)
@pytest.mark.parametrize("name", ["Work", "Investment", "Dilemma", "Offers"])
def test_what_is_written_passes(name: str, dials: dict) -> None:
    world = make_world(name, **dials)
    check_entries(entries_of(world), PATH, world)
    check_entries(entries_of(world), PATH)


def test_lists_of_ones_own_may_have_any_length() -> None:
    @measure
    def own_list(context):
        """Three numbers in one world, five in another."""
        return {"own_list": [0.5] * (3 if context.model.K == 12 else 5)}

    try:
        for dials in ({}, {"max_epochs": 7}):
            world = make_world("Work", **dials)
            check_entries(entries_of(world), PATH, world)
    finally:
        MEASURES.remove("own_list")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("stop",), 3),
        (("stop", "mean"), "x"),
        (("stop", "mean"), True),
        (("stop", "survival"), [1.0] * 5),
        (("stop", "survival", 2), None),
        (("delta", "profile"), [0.0] * 3),
        (("class", "kind"), "clever"),
        (("return",), 1e300),
        (("method",), "guessed"),
        (("reasons",), []),
        (("conflict_by_epoch", "invest"), {}),
    ],
    ids=str,
)
def test_what_is_not_what_is_written_is_refused(place: tuple, value: object) -> None:
    world = make_world("Investment")
    entries = copy.deepcopy(entries_of(world))
    if place == ("delta", "profile") and entries["delta"]["profile"] is None:
        pytest.skip("no profile to damage")
    where = entries
    for key in place[:-1]:
        where = where[key]
    where[place[-1]] = value
    with pytest.raises(ValueError, match=r"run/evaluation\.json is damaged") as caught:
        check_entries(entries, PATH, world)
    assert str(place[0]) in str(caught.value)
