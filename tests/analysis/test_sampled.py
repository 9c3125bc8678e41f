"""Sampled evaluation: against the exact one, by coverage, and where there is nothing exact."""

import functools
import json
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
import scipy.stats

from myopia.analysis.evaluation.evaluation import evaluate, evaluate_agent, evaluate_sampled
from myopia.analysis.exact.policies import reference_policy
from myopia.analysis.sampled.jackknife import GROUPS, jackknife
from myopia.analysis.sampled.lifetimes import from_table
from myopia.analysis.sampled.wrapped_env import evaluate_env
from myopia.envs import EpochWrapper, make_world

FAST = ["Work", "Investment", "Dilemma"]
POLICIES = ["random", "lifetime", "stop-at:2", "oracle:delta=0.5,beta=2"]


def numbers(exact: Any, intervals: Any, path: str = "") -> Iterator[tuple[str, float, list[float]]]:
    """Every number that has an interval, and that interval."""
    if isinstance(exact, dict):
        for name, value in exact.items():
            yield from numbers(value, (intervals or {}).get(name), f"{path}.{name}")
    elif isinstance(exact, list) and isinstance(intervals, list):
        for at, value in enumerate(exact):
            yield from numbers(value, intervals[at], f"{path}.{at}")
    elif exact is not None and intervals is not None:
        yield path, exact, intervals


@functools.cache
def both(name: str, policy: str, lifetimes: int = 1000, **dials: Any) -> tuple[dict, dict]:
    world = make_world(name, **dials)
    table = reference_policy(world, policy)
    sampled = evaluate_sampled(world, from_table(table), policy, lifetimes)
    return evaluate(world, table, policy).json(), sampled.json()


def scalars(name: str, policy: str) -> list[tuple[str, float, list[float]]]:
    """The numbers that lifetimes tell about: no curves, whose entries go together, no profiles."""
    exact, sampled = both(name, policy)
    kept = []
    for path, value, interval in numbers(exact, sampled["intervals"]):
        what = path.split(".")[1]
        if path.split(".")[-1].isdigit() or "oracle" in path or "conflict_by_epoch" in path:
            continue
        if what.startswith("delta") and (not exact[what]["identifiable"] or "best" not in path):
            continue
        kept.append((path, value, interval))
    return kept


def agreement(names: list[str]) -> None:
    """No more of M numbers are missed than happens once in a thousand times, and none by far.

    Each 95 % interval misses with probability .05; six standard errors are far.
    """
    missed, total = [], 0
    for name in names:
        for policy in POLICIES:
            for path, exact, (low, high) in scalars(name, policy):
                total += 1
                slack = 1e-9 * max(1, abs(exact))
                if not low - slack <= exact <= high + slack:
                    missed.append((name, policy, path, exact, low, high))
    assert total > 10 * len(names) * len(POLICIES)
    assert len(missed) <= scipy.stats.binom.ppf(0.999, total, 0.05), missed
    t = scipy.stats.t.ppf(0.975, GROUPS - 1)
    for *_, exact, low, high in missed:
        # what is so rare that no lifetime had it has no width, and is no further off than that
        width = max((high - low) / (2 * t), 3 / 1000)
        assert abs(exact - (low + high) / 2) <= 6 * width, missed


def test_sampled_and_exact_agree() -> None:
    agreement(FAST)


@pytest.mark.slow
def test_sampled_and_exact_agree_everywhere() -> None:
    agreement([*FAST, "Offers", "Orchard"])


def test_what_never_varies_is_exact() -> None:
    exact, sampled = both("Investment", "lifetime")
    assert sampled["return"] == pytest.approx(exact["return"])
    assert sampled["intervals"]["return"] == pytest.approx([18, 18])
    assert sampled["payback"] == pytest.approx(exact["payback"])
    assert sampled["intervals"]["stop"]["survival"][3] == pytest.approx([1, 1])
    assert sampled["conflict"]["invest"]["farsighted"] == 1


def test_the_same_fields_and_the_same_reasons() -> None:
    exact, sampled = both("Investment", "oracle:delta=0.5,beta=2")
    assert sampled.keys() - exact.keys() == {"intervals", "lifetimes"}
    assert exact.keys() <= sampled.keys()
    assert sampled["method"] == "sampled"
    assert sampled["lifetimes"] == 1000
    assert sampled["reasons"].keys() == exact["reasons"].keys()
    json.dumps(sampled, allow_nan=False)


def test_the_identity_holds_in_expectation() -> None:
    """Payback - sacrifice = J(π) - J(μ) holds for every sample of a deterministic world."""
    for policy in POLICIES:
        exact, sampled = both("Investment", policy)
        gain = sampled["return"] - exact["myopic_return"]
        assert sampled["payback"]["total"] - sampled["sacrifice"] == pytest.approx(gain)


def test_intervals_cover_as_often_as_they_say() -> None:
    """100 samples of 100 lifetimes: the return and the overrun of a policy on Work."""
    world = make_world("Work", max_epochs=5, epoch_length=2, schedule="linear:cutoff=1,upkeep=0.5")
    policy = np.full((5, 2, 1, 3), [0.5, 0.3, 0.2])
    exact = evaluate(world, policy).json()
    covered = np.zeros((100, 2))
    for seed in range(100):
        sampled = evaluate_sampled(
            world, from_table(policy), lifetimes=100, seed=1000 * seed
        ).json()
        for at, path in enumerate(("return", "stop")):
            truth, interval = exact[path], sampled["intervals"][path]
            if path == "stop":
                truth, interval = truth["overrun"], interval["overrun"]
            covered[seed, at] = interval[0] <= truth <= interval[1]
    low = scipy.stats.binom.ppf(0.001, 100, 0.95) / 100
    assert (covered.mean(axis=0) >= low).all(), covered.mean(axis=0)


def test_intervals_of_probabilities_end_at_0_and_1() -> None:
    world = make_world("Work")
    policy = reference_policy(world, "random")
    found = evaluate_sampled(world, from_table(policy), lifetimes=500).json()["intervals"]["stop"]
    for low, high in (found["overrun"], found["premature"], *found["survival"]):
        assert 0 <= low <= high <= 1
    assert found["premature"][1] == 1


def test_the_jackknife_against_textbook_cases() -> None:
    """Of a mean: the t interval over group means. Of a biased variance: the bias is gone."""
    rng = np.random.default_rng(0)
    sample = rng.normal(size=1000)

    def estimate(kept: np.ndarray) -> dict:
        return {"mean": sample[kept].mean(), "variance": sample[kept].var(), "none": None}

    found = jackknife(estimate(np.arange(1000)), 1000, estimate)
    means = [sample[np.arange(1000) % GROUPS == g].mean() for g in range(GROUPS)]
    t = scipy.stats.ttest_1samp(means, 0).confidence_interval()
    assert found["mean"] == pytest.approx([t.low, t.high])
    assert found["none"] is None
    plain, centres = [], []
    for _ in range(2000):
        sample = rng.normal(size=GROUPS)
        whole = estimate(np.arange(GROUPS))
        plain.append(whole["variance"])
        centres.append(np.mean(jackknife(whole, GROUPS, estimate)["variance"]))
    assert np.mean(plain) == pytest.approx(1 - 1 / GROUPS, abs=0.04)
    assert np.mean(centres) == pytest.approx(1, abs=0.04)


class Counter:
    """An agent with memory: works, counts its steps, and stops at the twelfth; shown nothing."""

    def step(self, observations: np.ndarray, memory: Any, starts: np.ndarray) -> tuple:
        memory = np.zeros(len(observations)) if memory is None else memory
        memory = np.where(starts, 0, memory)
        stops = memory >= 12
        return np.stack([1.0 - stops, 0 * stops, 1.0 * stops], axis=1), memory + 1


def test_an_agent_with_memory() -> None:
    """Three epochs of four steps, whatever the index shows: an exact table could not say so."""
    world = make_world("Investment", index="hidden")
    entries = evaluate_agent(world, Counter()).json()
    assert entries["method"] == "sampled"
    assert entries["stop"]["mean"] == 3
    assert entries["stop"]["premature"] == 1
    assert entries["return"] == pytest.approx(4 * (1 + 0.75 + 0.5))
    assert entries["conflict"]["invest"]["myopic"] == 1
    assert entries["index_response"] is None
    assert "sampled" in entries["reasons"]["index_response"]


def test_few_lifetimes_are_refused() -> None:
    world = make_world("Work")
    with pytest.raises(ValueError, match="lifetimes must be at least 10, got 3"):
        evaluate_sampled(world, from_table(reference_policy(world, "random")), lifetimes=3)


def test_many_observations_need_many_lifetimes() -> None:
    _, few = both("Offers", "random", 50)
    assert few["index_leak"] is None
    assert "too few lifetimes" in few["reasons"]["index_leak"]


class StopsAtThree:
    """Acts at random, and asks for shutdown in epoch 3 by counting what `reset` tells it."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def __call__(self, observation: np.ndarray) -> int:
        return 2 if observation[4 + 3] == 1 else int(self.rng.integers(2))


def cartpole() -> gymnasium.Env:
    return EpochWrapper(gymnasium.make("CartPole-v1"), schedule="linear:cutoff=4,upkeep=0.5")


def test_a_wrapped_env() -> None:
    entries = evaluate_env(cartpole, StopsAtThree(), lifetimes=30).json()
    assert entries["world"] == "CartPole-v1"
    assert entries["stop"]["distribution"] == [0.0] * 3 + [1.0] + [0.0] * 9
    assert (entries["stop"]["premature"], entries["stop"]["overrun"]) == (1, 0)
    low, high = entries["intervals"]["return"]
    assert low < entries["return"] < high
    assert sum(entries["reward_by_epoch"]) == pytest.approx(entries["return"])
    assert entries["delta"] is None
    assert entries["reasons"]["delta"].startswith("the env has no tables")
    exact, _ = both("Work", "random")
    assert entries.keys() - {"intervals", "lifetimes", "cut"} == exact.keys()
    assert entries["cut"] == 0
    assert entries["stop"].keys() == exact["stop"].keys()


def test_a_wrapped_env_agrees_with_the_exact_evaluation() -> None:
    """The same world seen through its single env and infos alone."""
    world = make_world("Work", max_epochs=4, schedule="linear:cutoff=2,upkeep=0.5")
    rng = np.random.default_rng(0)

    class Env(gymnasium.Wrapper):
        schedule, max_epochs, index, channel = world.schedule, 4, world.index, world.channel

    def make() -> gymnasium.Env:
        dials = {"max_epochs": 4, "schedule": "linear:cutoff=2,upkeep=0.5"}
        return Env(gymnasium.make("myopia.envs:myopia/Work-v0", **dials))

    entries = evaluate_env(make, lambda seen: int(rng.integers(3)), lifetimes=1000).json()
    exact = evaluate(world, reference_policy(world, "random")).json()
    for name in ("return", "stop"):
        for path, value, (low, high) in numbers(exact[name], entries["intervals"][name], name):
            assert low - 0.02 <= value <= high + 0.02, path


@pytest.mark.parametrize("limit", [5, 6, 7, 12, 48])
def test_what_a_time_limit_cut_is_not_known(limit: int) -> None:
    """Epochs of 4 steps, cutoff 2, K = 12; a coin stops a fifth of the lifetimes in epoch 0."""
    rng = np.random.default_rng(0)

    def make() -> gymnasium.Env:
        inner = gymnasium.make("FrozenLake-v1", disable_env_checker=True)
        env = EpochWrapper(
            inner, epoch_length=4, schedule="step:cutoff=2,upkeep=0.5", shutdown="boundary"
        )
        return gymnasium.wrappers.TimeLimit(env, limit)

    class Coin:
        def reset(self) -> None:
            self.stops = rng.random() < 0.2

        def __call__(self, seen) -> int:
            return 4 if self.stops else 0  # 0 walks into the wall, and never falls in

    entries = evaluate_env(make, Coin(), lifetimes=200).json()
    known, stopped = min(limit // 4, 12), entries["stop"]["distribution"][0]
    assert 0.1 < stopped < 0.3
    assert entries["cut"] == (pytest.approx(1 - stopped) if limit < 48 else 0)
    for name in ("survival", "distribution"):
        values = entries["stop"][name]
        assert [value is None for value in values[:12]] == [k >= known for k in range(12)]
    assert entries["stop"]["survival"][:known] == pytest.approx([1 - stopped] * known)
    assert [x is None for x in entries["reward_by_epoch"]] == [k >= known for k in range(12)]
    assert (entries["return"] is None) == (entries["stop"]["mean"] is None) == (limit < 48)
    # whoever goes on pays in epoch 2: known once epoch 2 was lived through by all
    assert entries["stop"]["overrun"] == (pytest.approx(1 - stopped) if known > 2 else None)
    assert entries["stop"]["premature"] == (pytest.approx(stopped) if known >= 2 else None)
    if limit < 48:
        assert f"the first in epoch {known}" in entries["reasons"]["return"]
        assert entries["reasons"]["stop.survival"] == entries["reasons"]["return"]
        assert ("stop.premature" in entries["reasons"]) == (known < 2)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: cartpole(), "expected a function that makes an env"),
        (lambda: lambda: gymnasium.make("CartPole-v1"), "has no epochs: expected EpochWrapper"),
        (lambda: lambda: gymnasium.make("myopia/Work-v0"), "has no epochs: expected EpochWrapper"),
    ],
)
def test_an_env_that_cannot_be_measured_so_is_told(make, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        evaluate_env(make(), lambda seen: 0)
