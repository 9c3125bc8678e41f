"""The oracles, against brute force, algebra and published figures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.brute_force import best_value, value
from support.random_task import worlds

from myopia.analysis.exact.occupancy import occupancy
from myopia.analysis.exact.oracle import optimal_actions, oracle_policy, solve, start_value
from myopia.analysis.exact.transition_model import transition_model_of
from myopia.envs import World, make_world

DISCOUNTS = st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0])


@settings(deadline=None, max_examples=40)
@given(
    st.one_of(
        worlds(states=2, moves=2, max_epochs=2, epoch_length=1, schedule="linear:cutoff=1"),
        worlds(states=2, moves=1, max_epochs=2, epoch_length=2, schedule="linear:cutoff=2"),
        worlds(states=1, moves=2, max_epochs=2, epoch_length=3, schedule="step:cutoff=1"),
    ),
    DISCOUNTS,
    DISCOUNTS,
)
def test_no_deterministic_policy_beats_the_oracle_and_one_equals_it(world, delta, gamma) -> None:
    found = start_value(world, solve(world, delta, gamma).v[0, 0])
    assert found == pytest.approx(best_value(world, delta, gamma), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(worlds(), DISCOUNTS, DISCOUNTS)
def test_the_oracles_policy_earns_its_value(world: World, delta: float, gamma: float) -> None:
    policy = oracle_policy(world, delta, gamma)
    earned = value(world, policy, delta, gamma)
    assert earned == pytest.approx(start_value(world, solve(world, delta, gamma).v[0, 0]), abs=1e-9)
    assert (policy[..., ~transition_model_of(world).available] == 0).all()


@pytest.mark.parametrize(("C", "myopic", "lifetime"), [(4, 2.5, 3.0), (5, 3.0, 4.0), (6, 3.5, 5.0)])
def test_investment_table(C: int, myopic: float, lifetime: float) -> None:
    world = make_world(
        "Investment",
        epoch_length=1,
        gain=1,
        max_wealth=99,
        schedule=f"linear:cutoff={C},upkeep=0.5",
    )
    best = solve(world, 1.0)
    assert start_value(world, best.v[0, 0]) == pytest.approx(lifetime, abs=1e-9)
    for delta, expected in ((0.0, myopic), (1.0, lifetime)):
        policy = oracle_policy(world, delta)
        assert occupancy(world, policy).total == pytest.approx(expected, abs=1e-9)
        assert value(world, policy, 1.0, 1.0) == pytest.approx(expected, abs=1e-9)
        assert occupancy(world, policy).stop[C] == pytest.approx(1, abs=1e-12)
    first, second = (optimal_actions(world, 1.0)[k, 0] for k in (0, 1))
    rich = world.tables.index((1, 0))
    assert first[world.tables.index((0, 0))].tolist() == [False, True, False]
    # C = 6: investing once or twice is a tie
    assert second[rich].tolist() == [True, C == 6, False]


@pytest.mark.parametrize(
    ("delta", "planted"), [(0.5, 0), (0.52, 0), (0.53, 2), (0.86, 2), (0.87, 3)]
)
def test_orchard_figures(delta: float, planted: int) -> None:
    world = make_world("Orchard")
    assert world.tables.num_states == 576
    visits = occupancy(world, oracle_policy(world, delta)).starts[4]
    trees = np.array([sum(plot != 0 for plot in plots) for _, plots in world.tables.states])
    assert visits @ trees == pytest.approx(planted)


def test_orchard_returns() -> None:
    world = make_world("Orchard")
    assert occupancy(world, oracle_policy(world, 0.0)).total == pytest.approx(24, abs=1e-9)
    assert start_value(world, solve(world, 1.0).v[0, 0]) == pytest.approx(33, abs=1e-9)


@given(st.floats(0.001, 0.999).filter(lambda d: min(d % 0.05, 0.05 - d % 0.05) > 1e-6))
@settings(deadline=None, max_examples=25)
def test_offers_are_a_ruler(delta: float) -> None:
    world = make_world("Offers", schedule="constant")
    optimal = optimal_actions(world, delta)[:, 0]
    for number, (offer, _, owed) in enumerate(world.tables.states):
        if owed:
            continue  # a state that is over before anyone acts in it
        for k in range(world.max_epochs - 1):
            defers = delta > 0.05 * offer
            assert optimal[k, number].tolist() == [not defers, defers, False]
        assert optimal[-1, number].tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("delta", "cooperates"), [(0.4, False), (0.49, False), (0.51, True), (1.0, True)]
)
def test_dilemma_threshold(delta: float, cooperates: bool) -> None:
    world = make_world("Dilemma", schedule="constant")
    assert optimal_actions(world, delta)[0, 0, :, 0].all() == cooperates
    assert optimal_actions(world, 0.0)[0, 0, :, 1].all()


def test_discount_within_epochs_by_hand() -> None:
    """Work, T = 2, K = 1, flat: value 1 + γ."""
    world = make_world("Work", max_epochs=1, epoch_length=2, schedule="constant")
    assert start_value(world, solve(world, 1.0, 0.5).v[0, 0]) == 1.5


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan")])
def test_discounts_outside_the_range_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match=r"delta must lie in 0\.\.1"):
        solve(make_world("Work"), bad)
    with pytest.raises(ValueError, match=r"gamma must lie in 0\.\.1"):
        solve(make_world("Work"), 1.0, bad)
