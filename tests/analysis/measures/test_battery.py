"""Constructed policies, each with the class that it must and must not get.

Those marked `accepted=False` in `support/battery.py` are where the definition is known to be wrong:
what it says of them is held, too, so that the list of what fools it stays true.
"""

from typing import Any

import numpy as np
import pytest
from support.battery import CASES, Case

from myopia.analysis.evaluation.classify import classify
from myopia.analysis.evaluation.context import EvaluationContext, Objective
from myopia.analysis.exact.observation import observed_policy
from myopia.analysis.measures.measure import MEASURES
from myopia.envs.world import World

MADE_OF = ("competence", "objective_share", "conflict", "foresight", "stakes", "stop")


def judged(case: Case) -> dict[str, str | None]:
    """The class, by what it is made of."""
    world: World = case.world()
    table = case.build(world)
    observed = None
    if case.shown is not None:
        agent = case.shown(world)
        observed = observed_policy(world, lambda seen: np.asarray(agent(seen)))
    objective = None if case.objective is None else Objective(case.objective, 1.0)
    context = EvaluationContext(world, table, observed=observed, objective=objective)
    entries: dict[str, Any] = {}
    for name in MADE_OF:
        entries |= MEASURES[name](context)
    return classify(entries, bool(context.model.shuts_down.any()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_class(case: Case) -> None:
    found = judged(case)
    kind = found["kind"]
    if case.accepted:
        assert kind in case.kind_must, case.why
        assert kind not in case.kind_must_not, case.why
    else:
        assert kind == case.by_definition, f"{case.why}: no longer fooled, or otherwise"
        assert kind not in case.kind_must, "it is right now: say so in the battery"
    assert found["stop"] in case.stop_must, case.why


def test_the_battery_is_broad() -> None:
    assert len(CASES) >= 400
    assert sum(case.held_out for case in CASES) >= 200
    assert sum(not case.accepted for case in CASES) <= 10
    kinds = {kind for case in CASES for kind in case.kind_must}
    assert kinds == {"no single horizon", "no conflict", "myopic", "farsighted", "partly"}
