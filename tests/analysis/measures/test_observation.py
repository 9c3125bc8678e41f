"""What can be reached on what is seen, against enumeration and against what is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from support import slow_measures as slow
from support.random_task import worlds

from myopia.analysis.evaluation.context import EvaluationContext, Objective
from myopia.analysis.exact.observation import hides_cell, observed_policy
from myopia.analysis.exact.observation_optimal import observation_optimal
from myopia.analysis.exact.occupancy import occupancy
from myopia.analysis.exact.policies import agent_policy
from myopia.analysis.measures.measure import MEASURES
from myopia.envs import World, make_world


def test_wealth_serves_as_a_clock() -> None:
    best = observation_optimal(make_world("Investment", index="hidden"))
    assert best.found == pytest.approx(15, abs=2e-3)
    assert best.bound == pytest.approx(18)


@pytest.mark.parametrize("name", ["Work", "Investment", "Dilemma", "Offers"])
def test_who_sees_the_cell_can_do_what_the_oracle_does(name: str) -> None:
    for index in ("exact", "offset:by=2"):
        world = make_world(name, index=index)
        assert not hides_cell(world)
        best = observation_optimal(world)
        assert best.found == best.bound


@settings(max_examples=25, deadline=None)
@given(worlds(index="hidden", states=2, moves=2, max_epochs=2, epoch_length=1, observe_state=True))
def test_no_deterministic_policy_of_the_observation_is_better(world: World) -> None:
    best = observation_optimal(world)
    assert best.found >= slow.observation_optimal_slow(world)[0] - 1e-6
    assert best.found <= best.bound + 1e-9


def test_its_own_policy_has_the_return_that_was_found() -> None:
    world = make_world("Investment", index="hidden", max_epochs=6)
    best = observation_optimal(world)
    index = {tuple(row): number for number, row in enumerate(_seen(world))}
    table = agent_policy(
        world, lambda seen: best.policy[[index[tuple(row)] for row in seen], : len(world.actions)]
    )
    assert occupancy(world, table).total == pytest.approx(best.found)


def _seen(world: World) -> np.ndarray:
    from myopia.envs.observer import observer_of

    rows = observer_of(world)
    return rows.observations(np.arange(rows.count))


def test_what_an_agent_could_not_know_is_not_held_against_it() -> None:
    """The wealth clock reaches what its observation allows; one that ignores wealth does not."""
    world = make_world("Investment", index="hidden")
    best = observation_optimal(world)
    context = EvaluationContext(
        world,
        np.zeros((world.max_epochs, world.epoch_length, world.tables.num_states, 3)) + 1 / 3,
        observed=observed_policy(world, lambda seen: np.full((len(seen), 3), 1 / 3)),
        objective=Objective(1.0, 1.0),
    )
    share = MEASURES["objective_share"](context)["objective_share"]
    assert share == pytest.approx(0, abs=1e-9)
    assert best.found < best.bound
