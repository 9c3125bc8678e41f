"""δ-hat: calibrated on policies whose discount is known."""

import numpy as np
import pytest

from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.evaluation.evaluation import evaluate
from myopia.analysis.exact.discount_fit import (
    GRID,
    _profile,
    _without_lapses,
    choice_values,
    continue_choice,
    fit_discount,
)
from myopia.analysis.exact.oracle import optimal_actions, oracle_policy, solve
from myopia.analysis.exact.policies import reference_policy
from myopia.analysis.measures.measure import MEASURES
from myopia.envs import World, make_world

WORLDS = ["Investment", "Dilemma", "Offers", "Orchard"]


def fitted(world: World, policy: np.ndarray, name: str = "delta") -> dict:
    return MEASURES[name](EvaluationContext(world, policy))[name]


@pytest.mark.parametrize("beta", [5, 20])
@pytest.mark.parametrize("delta", [0, 0.2, 0.4, 0.6, 0.8, 1])
@pytest.mark.parametrize("name", WORLDS)
def test_soft_oracles_are_recovered(name: str, delta: float, beta: float) -> None:
    world = make_world(name)
    fit = fitted(world, reference_policy(world, f"oracle:delta={delta},beta={beta}"))
    assert abs(fit["best"] - delta) <= 0.03
    assert fit["low"] <= delta <= fit["high"]
    assert fit["beta"] == pytest.approx(beta, rel=0.02)
    assert fit["identifiable"]


def bracket(world: World, delta: float) -> tuple[float, float]:
    """The discounts around `delta` at which a visited optimal choice changes, by bisection.

    From the oracle alone: optimal actions of the cells that its own policy visits.
    """
    from myopia.analysis.exact.occupancy import occupancy

    visits = occupancy(world, oracle_policy(world, delta)).visits > 1e-12

    def same(other: float) -> bool:
        mine, theirs = (optimal_actions(world, d)[..., :-1] for d in (delta, other))
        q, allowed = solve(world, other).q[..., :-1], mine.any(axis=-1)
        best = q >= q.max(axis=-1, keepdims=True) - 1e-9 * np.maximum(1, abs(q).max())
        return bool((best == mine)[visits & allowed].all() or (theirs == mine)[visits].all())

    def edge(inside: float, outside: float) -> float:
        if same(outside):
            return outside
        while abs(outside - inside) > 1e-4:
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if same(middle) else (inside, middle)
        return inside

    # walk out to the first change: the set of discounts with the same choices is an interval
    steps = np.arange(0.002, 1.002, 0.002)
    low = next((d for d in delta - steps if d > 0 and not same(d)), 0.0)
    high = next((d for d in delta + steps if d < 1 and not same(d)), 1.0)
    return edge(min(low + 0.002, delta), low), edge(max(high - 0.002, delta), high)


@pytest.mark.parametrize("delta", [0.03, 0.23, 0.43, 0.63, 0.83, 0.97])
@pytest.mark.parametrize("name", [*WORLDS[:3], pytest.param("Orchard", marks=pytest.mark.slow)])
def test_hard_oracles_fix_the_bracket_of_critical_discounts(name: str, delta: float) -> None:
    world = make_world(name)
    low, high = bracket(world, delta)
    if min(delta - low, high - delta) < 0.01 and not (low == 0 or high == 1):
        pytest.skip(f"{delta} lies within .01 of a critical discount: {low:.3f}, {high:.3f}")
    fit = fitted(world, reference_policy(world, f"oracle:delta={delta},beta=10000"))
    assert fit["low"] - 1e-3 <= delta <= fit["high"] + 1e-3
    assert fit["low"] == pytest.approx(low, abs=0.02)
    assert fit["high"] == pytest.approx(high, abs=0.02)


@pytest.mark.parametrize("delta", [0.03, 0.23, 0.43, 0.63, 0.83, 0.97])
def test_the_ruler_has_no_wide_bracket(delta: float) -> None:
    world = make_world("Offers", schedule="constant")
    fit = fitted(world, reference_policy(world, f"oracle:delta={delta},beta=10000"))
    assert fit["high"] - fit["low"] <= 0.06
    assert fit["low"] == pytest.approx(np.floor(delta / 0.05) * 0.05, abs=0.005)
    assert fit["estimate"] == fit["best"]


def test_nothing_to_explain(world_name: str) -> None:
    world = make_world(world_name)
    fit = fitted(world, reference_policy(world, "random"))
    assert not fit["identifiable"]
    assert fit["estimate"] is None
    assert (fit["low"], fit["high"]) == (0, 1)


def test_the_control_identifies_nothing() -> None:
    world = make_world("Work")
    for policy in ("lifetime", "myopic", "oracle:delta=0.5,beta=5"):
        entries = evaluate(world, reference_policy(world, policy))
        assert entries.measures["delta"]["best"] is None
        assert not entries.measures["delta"]["identifiable"]
        assert entries.reasons["delta"] == "no visited choice depends on the discount"


def noisy_error(world: World, rng: np.random.Generator) -> float:
    """|best - D| for an oracle at β = 20 whose logits carry normal noise of sd 0.3."""
    delta = float(rng.uniform())
    policy = reference_policy(world, f"oracle:delta={delta},beta=20")
    logits = np.log(np.maximum(policy, 1e-300)) + rng.normal(0, 0.3, policy.shape)
    noisy = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return abs(fitted(world, noisy / noisy.sum(axis=-1, keepdims=True))["best"] - delta)


def check_noise(name: str, count: int) -> None:
    world, rng = make_world(name), np.random.default_rng(0)
    errors = np.array([noisy_error(world, rng) for _ in range(count)])
    assert np.median(errors) <= 0.03
    assert (errors <= 0.1).mean() >= 0.9


@pytest.mark.parametrize("name", ["Investment", "Offers"])
def test_noisy_policies(name: str) -> None:
    check_noise(name, 20)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Investment", "Offers"])
def test_noisy_policies_200(name: str) -> None:
    check_noise(name, 200)


def test_the_profile_against_a_slow_search_over_beta() -> None:
    world = make_world("Investment")
    policy = reference_policy(world, "oracle:delta=0.4,beta=3")
    cells, values = choice_values(world, continue_choice)
    chosen = policy[..., :-1] / policy[..., :-1].sum(axis=-1, keepdims=True)
    chosen = chosen.reshape(-1, 2)[cells].T
    weight = np.random.default_rng(0).dirichlet(np.ones(len(cells)))
    profile, betas = _without_lapses(values, chosen, weight)
    for row in (0, 17, 40, 100):
        found = []
        for beta in np.append(np.geomspace(1e-3, 1e5, 400), betas[row]):
            scaled = beta * values[row]
            likelihood = scaled - np.logaddexp(scaled[0], scaled[1])
            found.append(weight @ (chosen * likelihood).sum(axis=0))
        assert profile[row] == pytest.approx(max(found), abs=1e-9)
        assert found[-1] == pytest.approx(max(found), abs=1e-9)
    assert GRID[profile.argmax()] == pytest.approx(0.4, abs=0.011)


def test_the_profile_against_a_slow_search_over_beta_and_lapses() -> None:
    """On a grid of both it is never better, and the search finds what the grid does."""
    world = make_world("Investment")
    policy = reference_policy(world, "oracle:delta=0.4,beta=3,epsilon=0.2")
    cells, values = choice_values(world, continue_choice)
    chosen = policy[..., :-1] / policy[..., :-1].sum(axis=-1, keepdims=True)
    chosen = chosen.reshape(-1, 2)[cells].T
    weight = np.random.default_rng(0).dirichlet(np.ones(len(cells)))
    profile, betas, epsilons = _profile(values, chosen, weight)
    assert (profile >= _without_lapses(values, chosen, weight)[0]).all()
    for row in (0, 17, 40, 100):
        found = []
        for beta in np.append(np.geomspace(1e-2, 1e4, 200), betas[row]):
            softmax = np.exp(-np.logaddexp(0, beta * (values[row][::-1] - values[row])))
            for epsilon in np.append(np.linspace(0, 1, 51), epsilons[row]):
                mixed = (1 - epsilon) * softmax + epsilon / 2
                found.append(weight @ (chosen * np.log(np.maximum(mixed, 1e-300))).sum(axis=0))
        assert profile[row] == pytest.approx(found[-1], abs=1e-9)
        assert profile[row] >= max(found) - 1e-4
    best = profile.argmax()
    assert GRID[best] == pytest.approx(0.4, abs=0.011)
    assert (betas[best], epsilons[best]) == pytest.approx((3, 0.2), abs=0.05)


@pytest.mark.parametrize("delta", [0.23, 0.52, 0.83])
@pytest.mark.parametrize("epsilon", [0.02, 0.1, 0.3])
def test_lapses_are_told_from_the_discount(delta: float, epsilon: float) -> None:
    world = make_world("Offers", schedule="constant")
    fit = fitted(world, reference_policy(world, f"oracle:delta={delta},epsilon={epsilon}"))
    assert fit["low"] <= delta <= fit["high"]
    assert fit["estimate"] == pytest.approx(delta, abs=0.03)
    assert fit["epsilon"] == pytest.approx(epsilon, abs=0.02)
    assert fit["fit"] == pytest.approx(1, abs=1e-3)


def test_who_changes_sides_every_epoch_is_no_discounter() -> None:
    world = make_world("Offers", schedule="constant")
    policy = oracle_policy(world, 0.0).copy()
    policy[1::2] = oracle_policy(world, 1.0)[1::2]
    fit = fitted(world, policy)
    assert fit["estimate"] is None
    assert fit["fit"] == pytest.approx(0.006, abs=0.001)


@pytest.mark.parametrize(
    ("name", "delta"), [("Investment", 0.0), ("Dilemma", 0.6), ("Offers", 0.2)]
)
def test_what_stopping_tells_of_the_discount(name: str, delta: float) -> None:
    """delta_stop narrows the discount down where stopping is still soft.

    Not as sharply as the choices between actions do: it weighs shutdown against the best other
    action, and a soft oracle has more than one of those.
    """
    world = make_world(name)
    fit = fitted(world, reference_policy(world, f"oracle:delta={delta},beta=5"), "delta_stop")
    assert fit["identifiable"]
    assert fit["low"] <= delta <= fit["high"]
    assert abs(fit["best"] - delta) <= 0.1


def test_the_weight_of_choices_never_made_is_nothing() -> None:
    world = make_world("Investment")
    chosen = np.full((12, 4, 28, 2), 0.5)
    assert fit_discount(world, continue_choice, chosen, np.zeros((12, 4, 28))) is None
