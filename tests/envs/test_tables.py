"""The arrays of a task say what its methods say, of every state that can be reached."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.random_task import RandomTask

from myopia.envs import Task, make_world
from myopia.envs.registry import WORLDS
from myopia.envs.tables import Distributions, Tables, enumerate_task


def outcomes(distributions: Distributions, number: int) -> slice:
    return slice(int(distributions.first[number]), int(distributions.first[number + 1]))


def check(tables: Tables) -> None:
    """Every table against the task's own methods, one state at a time."""
    task, states = tables.task, list(tables.states)
    assert len(set(states)) == len(states)

    def boundary(number: int) -> Counter:
        where = outcomes(tables.boundaries, number)
        found: Counter = Counter()
        for chance, state in zip(
            tables.boundaries.probability[where], tables.landing_state[where], strict=True
        ):
            found[states[state]] += float(chance)
        return found

    def told(distribution) -> Counter:
        found: Counter = Counter()
        for chance, state in distribution:
            if chance > 0:
                found[state] += float(chance)
        return found

    assert boundary(tables.initial) == pytest.approx(told(task.initial()))
    entered = set(told(task.initial()))
    for number, state in enumerate(states):
        assert boundary(tables.carried[number]) == pytest.approx(told(task.next_epoch(state)))
        assert boundary(tables.severed) == pytest.approx(told(task.severed(state)))
        assert tables.over[number] == task.over(state)
        np.testing.assert_allclose(tables.features[number], task.observe(state), rtol=1e-6)
        entered |= set(told(task.next_epoch(state))) | set(told(task.severed(state)))
    reached = set(entered)
    for number, state in enumerate(states):
        rows = []
        for column, action in enumerate((*task.actions, None)):
            where = outcomes(tables.steps, number * (len(task.actions) + 1) + column)
            chances, payoffs = tables.steps.probability[where], tables.payoff[where]
            named = [states[one] for one in tables.successor[where]]
            rows.append(list(zip(chances.tolist(), named, payoffs.tolist(), strict=True)))
            if action is None:
                assert rows[-1] == [(1.0, state, 0.0)]
        acts = any(row != [(1.0, state, 0.0)] for row in rows)
        if acts:
            for action, row in zip(task.actions, rows, strict=False):
                wanted = [one for one in task.step(state, action) if one[0] > 0]
                assert row == wanted
                reached |= {one[1] for one in wanted}
    assert reached >= set(states), "nothing is there that cannot be reached"
    # a draw falls on each outcome as often as its probability says
    assert (tables.steps.edges >= 0).all()
    assert (tables.steps.edges <= 1 << 32).all()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    states=st.integers(1, 6),
    moves=st.integers(1, 3),
    chance=st.booleans(),
    early=st.booleans(),
    tampered=st.booleans(),
)
def test_random_tasks(seed, states, moves, chance, early, tampered) -> None:
    check(enumerate_task(RandomTask(seed, states, moves, chance, early, tampered)))


@pytest.mark.parametrize("name", [name for name in WORLDS if name != "Orchard"])
def test_shipped_worlds(name: str) -> None:
    check(make_world(name).tables)


@dataclasses.dataclass(frozen=True)
class Odd(Task):
    """Steps in every form that is a list of outcomes."""

    form: str = "list"

    actions = ("on", "stay")
    features = ("place",)
    incentives = ()

    def initial(self):
        return ((0.5, 0), (0.0, 9), (0.5, 1))

    def step(self, state, action):
        to = (state + 1) % 4 if action == "on" else state
        plain, chance = [(1, to, True)], [(0.25, to, 1), (0.0, 7, 3), (0.75, 0, 2.5)]
        found = plain if state % 2 else chance
        return {"list": found, "tuple": tuple(found)}.get(self.form) or (one for one in found)

    def observe(self, state):
        return [state / 4]


@pytest.mark.parametrize("form", ["list", "tuple", "generator"])
def test_any_list_of_outcomes(form: str) -> None:
    tables = enumerate_task(Odd(form))
    assert sorted(tables.states) == [0, 1, 2, 3], "what has no chance is not reached"
    plain = enumerate_task(Odd())
    assert tables.states == plain.states
    for name in ("successor", "payoff", "landing_state", "carried", "features"):
        np.testing.assert_array_equal(getattr(tables, name), getattr(plain, name))
    if form != "generator":
        check(tables)


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ([1.0, 0, 2.0], "expected tuples of 3"),
        ((1.0, 0), "expected tuples of 3"),
        ((1.0, 0, float("nan")), "expected a finite payoff, got nan"),
        ((1.0, 0, "much"), "expected a finite payoff, got 'much'"),
        ((1.0, [0], 2.0), "expected a hashable state"),
        ((2, 0, 2.0), "probabilities sum to 2, expected 1"),
        (("1", 0, 2.0), "expected probabilities >= 0"),
        (3, "expected tuples of 3"),
    ],
)
def test_the_short_way_takes_nothing_that_the_long_one_refuses(outcome, sentence) -> None:
    @dataclasses.dataclass(frozen=True)
    class Bad(Odd):
        def step(self, state, action):
            return [outcome]

    with pytest.raises(ValueError, match=sentence) as caught:
        enumerate_task(Bad())
    assert "step of Bad state" in str(caught.value)
    assert "action 'o" in str(caught.value) or "action 's" in str(caught.value)
