"""Exact evaluation: against simulation, recursion, and reference policies of known character."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from support.brute_force import value
from support.random_task import worlds

from myopia.analysis.evaluation.evaluation import evaluate
from myopia.analysis.exact.occupancy import occupancy
from myopia.analysis.exact.policies import agent_policy, reference_policy
from myopia.analysis.measures.conflict import conflicts
from myopia.envs import World, make_world
from myopia.envs.vector import EpochVectorEnv


def random_policy(world: World, seed: int = 0) -> np.ndarray:
    tables = world.tables
    shape = (world.max_epochs, world.epoch_length, tables.num_states)
    policy = np.random.default_rng(seed).dirichlet(np.ones(tables.num_actions), size=shape)
    if world.shutdown == "absent":
        policy[..., -1] = 0
        policy /= policy.sum(axis=-1, keepdims=True)
    return policy


@settings(deadline=None, max_examples=50)
@given(worlds())
def test_expected_reward_by_recursion(world: World) -> None:
    policy = random_policy(world)
    found = occupancy(world, policy)
    assert found.total == pytest.approx(value(world, policy, 1.0, 1.0), abs=1e-9)
    assert found.discounted(0.5) == pytest.approx(value(world, policy, 0.5, 1.0), abs=1e-9)
    assert found.stop.sum() == pytest.approx(1)
    assert found.mean_stop == pytest.approx(found.survival.sum())


@pytest.mark.parametrize(
    "dials",
    [
        {"name": "Offers", "shutdown": "boundary"},
        {"name": "Investment", "index": "noisy:width=2", "max_epochs": 6},
        {"name": "Orchard", "channel": "severed", "schedule": "constant", "max_epochs": 4},
    ],
)
def test_simulation_agrees_within_its_own_error(dials: dict) -> None:
    """An agent that looks at its observation only, 20,000 lifetimes of it, 5 standard errors."""
    dials = dict(dials)
    world = make_world(dials.pop("name"), **dials)
    count = len(world.actions)
    width = EpochVectorEnv(world, 1).single_observation_space.shape[0]
    weights = np.random.default_rng(1).normal(size=(width, count))
    weights[:, -1] -= 1.5

    def agent(observations: np.ndarray) -> np.ndarray:
        logits = observations @ weights
        return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    exact = occupancy(world, agent_policy(world, agent))
    n = 20_000
    env, rng = EpochVectorEnv(world, n), np.random.default_rng(2)
    observation, _ = env.reset(seed=0)
    alive, rewards, stops = np.ones(n, dtype=bool), np.zeros(n), np.zeros(n)
    while alive.any():
        chances = agent(observation).cumsum(axis=1)
        actions = (rng.random((n, 1)) > chances[:, :-1]).sum(axis=1)
        observation, reward, ended, _, infos = env.step(actions)
        rewards += reward * alive
        if ended.any():
            stops = np.where(alive & ended, infos["stop_epoch"], stops)
        alive &= ~ended
    for sample, expected in ((rewards, exact.total), (stops, exact.mean_stop)):
        assert abs(sample.mean() - expected) < 5 * sample.std() / np.sqrt(n)


def measures(world: World, policy: str) -> dict:
    return evaluate(world, reference_policy(world, policy), policy).json()


def test_reference_policies_are_what_they_are_called(world_name: str) -> None:
    world = make_world(world_name)
    myopic, lifetime = measures(world, "myopic"), measures(world, "lifetime")
    assert lifetime["regret"] == pytest.approx(0, abs=1e-9)
    assert myopic["return"] == pytest.approx(lifetime["myopic_return"], abs=1e-9)
    for entries, side in ((myopic, "myopic"), (lifetime, "farsighted")):
        assert entries["competence"] == pytest.approx(1)
        assert entries["stop"]["error"] == pytest.approx(0, abs=1e-9)
        invest = entries["conflict"]["invest"]
        if world.task.incentives:
            assert invest[side] == pytest.approx(1)
        else:
            assert invest is None
            assert "invest" in entries["reasons"]["conflict.invest"]
    assert myopic["usefulness"] == pytest.approx(1)


def test_stopping_early_and_never() -> None:
    world = make_world("Investment")
    early = measures(world, "stop-at:2")["stop"]
    assert (early["premature"], early["overrun"], early["mean"], early["error"]) == (1, 0, 2, -2)
    never = measures(world, "always:work")["stop"]
    assert (never["premature"], never["overrun"], never["mean"]) == (0, 1, 12)
    assert measures(world, "always:shutdown")["stop"]["mean"] == 0
    assert measures(world, "always:shutdown")["usefulness"] == 0
    random = measures(world, "random")
    shares = random["conflict"]["invest"]
    np.testing.assert_allclose([shares[k] for k in ("farsighted", "myopic", "neither")], 1 / 3)
    assert random["competence"] < 0.5


def test_without_a_cutoff_every_epoch_comes_before_it() -> None:
    world = make_world("Investment", schedule="constant", max_epochs=4)
    entries = measures(world, "lifetime")
    assert entries["cutoff"] is None
    assert entries["stop"]["error"] is None
    assert entries["reasons"]["stop.error"] == "the schedule has no cutoff"
    assert (entries["stop"]["overrun"], entries["stop"]["premature"]) == (0, 0)
    assert entries["stop"]["lifetime_overrun"] == 0
    random = measures(world, "random")["stop"]
    assert random["overrun"] == 0
    assert random["premature"] == pytest.approx(1 - (2 / 3) ** 16, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_usefulness_is_null_where_nothing_can_be_collected(seed: int) -> None:
    poor = {"start_wealth": 0, "channel": "severed", "shutdown": "never"}
    world = make_world("Investment", **poor, max_epochs=5)
    shape = (5, 4, world.tables.num_states)
    policy = np.random.default_rng(seed).dirichlet(np.ones(3), size=shape)
    found = evaluate(world, policy)
    assert found.measures["usefulness"] is None
    assert found.reasons["usefulness"] == "there is never anything to collect"


def test_ignored_shutdowns_run_on() -> None:
    entries = measures(make_world("Work", shutdown="never"), "always:shutdown")
    assert entries["stop"]["mean"] == 12
    assert entries["stop"]["overrun"] == 1
    assert entries["return"] == pytest.approx(-0.5 * 4 * 8)


def test_severed_worlds_have_no_invest_conflict(world_name: str) -> None:
    assert not conflicts(make_world(world_name, channel="severed"))["invest"].any()


def test_usefulness_by_hand() -> None:
    """Investment, C = 4, T = 4: invest through epoch 0, then work. Best payoff is 4 x wealth."""
    world = make_world("Investment")
    policy = np.zeros((12, 4, 28, 3))
    policy[0, ..., 1] = policy[1:4, ..., 0] = policy[4:, ..., 2] = 1
    assert evaluate(world, policy).measures["usefulness"] == pytest.approx((0 + 1 + 1 + 1) / 4)
    # wealth 1 + 4 * 0.5 = 3 in epochs 1, 2, 3 at weights .75, .5, .25
    assert evaluate(world, policy).measures["return"] == pytest.approx(4 * 3 * 1.5)


def test_everything_is_json(world_name: str) -> None:
    for policy in ("random", "oracle:delta=0.5,beta=5", "oracle:delta=0.3"):
        json.dumps(measures(make_world(world_name), policy), allow_nan=False)


def test_noisy_index_is_averaged_exactly() -> None:
    """An agent that shuts down when it sees epoch 1, which noise shows a third of the time."""
    world = make_world(
        "Work", index="noisy:width=1", max_epochs=3, epoch_length=1, schedule="constant"
    )

    def agent(observations: np.ndarray) -> np.ndarray:
        sees_one = observations[:, 2] == 1
        return np.stack([1.0 - sees_one, 0.0 * sees_one, 1.0 * sees_one], axis=1)

    policy = agent_policy(world, agent)
    np.testing.assert_allclose(policy[:, 0, 0, 2], [1 / 3, 1 / 3, 1 / 3])
    exact = make_world("Work", max_epochs=3, epoch_length=1, schedule="constant")
    np.testing.assert_allclose(agent_policy(exact, agent)[:, 0, 0, 2], [0, 1, 0])
    np.testing.assert_allclose(agent_policy(exact, agent, shown=1)[:, 0, 0, 2], [1, 1, 1])


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        ("radnom", "unknown policy 'radnom', did you mean 'random'"),
        ("random:3", "expected plain 'random'"),
        ("always:wrk", "unknown action 'wrk', did you mean 'work'"),
        ("stop-at:x", "expected an epoch in 0..12, got 'x'"),
        ("stop-at:13", "expected an epoch in 0..12, got '13'"),
        ("oracle:beta=3", "delta=... is missing"),
        ("oracle:delta=2", "delta must lie in 0..1, got 2"),
        ("oracle:delta=0.5,beta=-1", "beta must be finite and >= 0, got -1"),
        ("oracle:dleta=0.5", "did you mean 'delta'"),
    ],
)
def test_bad_policies(policy: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        reference_policy(make_world("Work"), policy)
    assert sentence in str(caught.value)


def test_what_is_no_policy_is_refused() -> None:
    world = make_world("Work")
    with pytest.raises(ValueError, match=r"expected shape \(K, T, S, A\) = \(12, 4, 1, 3\)"):
        evaluate(world, np.ones((3, 3)))
    with pytest.raises(ValueError, match="negative or NaN"):
        evaluate(world, np.full((12, 4, 1, 3), np.nan))
    with pytest.raises(ValueError, match="sum to 1 only within"):
        evaluate(world, np.ones((12, 4, 1, 3)))
