"""The measures against their slow re-derivation, and what must hold of them on every world."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support import slow_measures as slow
from support.random_task import RandomTask, worlds

from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.evaluation.evaluation import evaluate
from myopia.analysis.exact.occupancy import reachable
from myopia.analysis.exact.oracle import oracle_policy
from myopia.analysis.exact.policies import reference_policy
from myopia.analysis.exact.skill import DELTAS, competence, flips_policy, skill
from myopia.analysis.exact.tampering import oracle_tampering
from myopia.envs import World, make_world

CLOSE = {"rel": 1e-9, "abs": 1e-9}


def some_policy(world: World, seed: int, sharp: float) -> np.ndarray:
    """A random table of probabilities, anything from flat to nearly deterministic."""
    tables, rng = world.tables, np.random.default_rng(seed)
    shape = (world.max_epochs, world.epoch_length, tables.num_states, tables.num_actions)
    logits = sharp * rng.normal(size=shape)
    if world.shutdown == "absent":
        logits[..., -1] = -np.inf
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def as_callable(world: World, table: np.ndarray) -> slow.Policy:
    """The table as the slow measures take a policy."""

    def policy(cell):
        k, t, state = cell
        return table[k, t, world.tables.index(state)].tolist()

    return policy


def approx(value):
    return None if value is None else pytest.approx(value, **CLOSE)


@settings(max_examples=60, deadline=None)
@given(worlds(observe_state=True, index="exact"), st.integers(0, 999), st.sampled_from([0, 1, 6]))
def test_every_measure(world: World, seed: int, sharp: float) -> None:
    table = some_policy(world, seed, sharp)
    policy = as_callable(world, table)
    found = evaluate(world, table).measures
    assert found["return"] == approx(slow.total_return(world, policy))
    assert found["regret"] == approx(slow.regret(world, policy))
    assert found["competence"] == approx(slow.competence(world, policy))
    conflict = slow.conflict(world, policy)
    for kind in ("invest", "survive"):
        assert found["conflict"]["met"][kind] == approx(conflict["met"][kind])
        if found["conflict"]["met"][kind] > 1e-9:
            for side in ("farsighted", "myopic", "neither"):
                assert found["conflict"][kind][side] == approx(conflict[kind][side])
    for kind, value in slow.foresight(world, policy).items():
        if found["foresight"][kind] is not None or (value is not None and found["conflict"]):
            assert found["foresight"][kind] == approx(value), kind
    assert found["net_share"] == approx(slow.net_share(world, policy))
    assert found["surplus"] == approx(slow.surplus(world, policy))
    assert found["at_stake"] == slow.at_stake(world)
    assert found["usefulness"] == approx(slow.usefulness(world, policy))
    for delta in (0.0, 0.35, 1.0):
        assert oracle_tampering(world, delta) == approx(slow.oracle_tampering(world, delta))


@settings(max_examples=40, deadline=None)
@given(worlds(), st.sampled_from(DELTAS), st.sampled_from([1.0, 0.8]), st.integers(0, 99))
def test_skill_and_oracles(world: World, delta: float, gamma: float, seed: int) -> None:
    table = some_policy(world, seed, 1.0)
    found = skill(EvaluationContext(world, table), delta, gamma)
    value, flips = slow.skill(world, as_callable(world, table), delta, gamma)
    assert found.flips == approx(flips)
    assert found.value == approx(value)
    oracle, policy = slow.oracle(world, delta), oracle_policy(world, delta)
    for k, t, state in slow.visits(world, oracle):
        assert policy[k, t, world.tables.index(state)].tolist() == approx(oracle((k, t, state)))


@settings(max_examples=60, deadline=None)
@given(worlds(), st.integers(0, 999), st.sampled_from([0, 1, 6]))
def test_bounds_on_every_world(world: World, seed: int, sharp: float) -> None:
    """An ignored shutdown idles, and so may the oracle: nobody is better than the best."""
    for table in (some_policy(world, seed, sharp), _always_last(world)):
        if table is None:
            continue
        found = evaluate(world, table).measures
        assert found["regret"] >= -1e-9
        assert found["competence"] is None or found["competence"] <= 1 + 1e-9
        assert found["usefulness"] is None or found["usefulness"] <= 1 + 1e-9


def _always_last(world: World) -> np.ndarray | None:
    return None if world.shutdown == "absent" else reference_policy(world, "always:shutdown")


@settings(max_examples=60, deadline=None)
@given(worlds(), st.sampled_from(DELTAS))
def test_limits(world: World, delta: float) -> None:
    """Oracles are competent, coin flips that stop with the oracle are not; μ 0, lifetime 1."""
    oracle = EvaluationContext(world, oracle_policy(world, delta))
    own = skill(oracle, delta).value
    assert own in (None, pytest.approx(1.0))
    if own is not None:  # else nothing but stopping matters at this horizon
        assert competence(oracle) == pytest.approx(1.0)
    flips = skill(EvaluationContext(world, flips_policy(world, delta)), delta)
    assert flips.value in (None, pytest.approx(0.0))
    for policy, value in ((oracle_policy(world, 0.0), 0), (oracle_policy(world, 1.0), 1)):
        foresight = evaluate(world, policy).measures["foresight"]
        for kind in ("invest", "survive", "all"):
            assert foresight[kind] in (None, pytest.approx(value, abs=1e-9)), kind


@settings(max_examples=40, deadline=None)
@given(worlds(), st.floats(0, 1), st.booleans())
def test_rivals(world: World, b: float, sophisticated: bool) -> None:
    """Quasi-hyperbolic and look-ahead policies against the slow ones, where they go."""
    words = f"quasi:b={b},delta=0.9,sophisticated={sophisticated}"
    pairs = [
        (reference_policy(world, words), slow.quasi(world, b, 0.9, sophisticated)),
        (reference_policy(world, "lookahead:1"), slow.lookahead(world, 1)),
    ]
    for table, policy in pairs:
        for k, t, state in slow.visits(world, policy):
            assert table[k, t, world.tables.index(state)].tolist() == approx(policy((k, t, state)))


def test_limits_of_the_rivals() -> None:
    for name in ("Investment", "Dilemma", "Offers"):
        world = make_world(name)
        assert (reference_policy(world, "lookahead:0") == oracle_policy(world, 0.0)).all()
        everything = f"lookahead:{world.max_epochs}"
        total = evaluate(world, reference_policy(world, everything)).measures["return"]
        assert total == pytest.approx(evaluate(world, oracle_policy(world, 1.0)).measures["return"])
        assert (reference_policy(world, "quasi:b=0") == oracle_policy(world, 0.0)).all()
    flat = make_world("Offers", schedule="constant")
    there = reachable(flat)[0, 0]
    deferred = reference_policy(flat, "quasi:b=0.5,delta=1")[0, 0, there, 1]
    number = np.round(19 * flat.tables.features[there, 0])  # j: defer pays when b δ > .05 j
    assert (deferred[number <= 9] == 1).all()
    assert (deferred[number >= 10] == 0).all()  # at j = 10 it is a tie


@pytest.mark.parametrize("epsilon", [0.02, 0.1, 0.3])
def test_lapses_cost_their_share(epsilon: float) -> None:
    for name in ("Work", "Investment"):
        world = make_world(name)
        table = reference_policy(world, f"oracle:delta=1,epsilon={epsilon}")
        assert competence(EvaluationContext(world, table)) == pytest.approx(1 - epsilon, abs=0.03)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([2.0, 20.0]), st.integers(0, 99))
def test_the_class_stays_when_every_payoff_rises(seed: int, more: float, policy: int) -> None:
    """For policies that neither idle nor leave early, in flat worlds without shutdown."""
    fixed = {"schedule": "constant", "shutdown": "never", "max_epochs": 3, "epoch_length": 1}
    world = World.of(RandomTask, seed=seed, **fixed)
    richer = World.of(_Richer, seed=seed, more=more, **fixed)
    table = some_policy(world, policy, 3.0)
    table[..., -1] = 0
    table /= table.sum(axis=-1, keepdims=True)
    # idling must not become the best thing to do, or stop being it
    for one in (world, richer):
        assume(not any(oracle_policy(one, d)[..., -1].any() for d in (0.0, 1.0)))
    kinds = [evaluate(one, table).measures["class"] for one in (world, richer)]
    assert kinds[0] == kinds[1]


@dataclass(frozen=True)
class _Richer(RandomTask):
    """A random task that pays more for everything."""

    more: float = 0.0

    def step(self, state, action):
        return [(p, s, payoff + self.more) for p, s, payoff in super().step(state, action)]


@dataclass(frozen=True)
class _Doubled(RandomTask):
    """Every state twice, told apart by nothing but a bit that is drawn with each of them."""

    def _both(self, lottery):
        return [(p / 2, (s, bit), *rest) for p, s, *rest in lottery for bit in (0, 1)]

    def initial(self):
        return self._both(super().initial())

    def step(self, state, action):
        return self._both(super().step(state[0], action))

    def next_epoch(self, state):
        return self._both(super().next_epoch(state[0]))

    def observe(self, state):
        return super().observe(state[0])

    def over(self, state):
        return super().over(state[0])


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["anytime", "boundary", "never", "absent"]),
    st.sampled_from(["exact", "hidden"]),
    st.integers(0, 99),
)
def test_the_class_stays_when_states_are_doubled(
    seed: int, shutdown: str, index: str, policy: int
) -> None:
    fixed = {"shutdown": shutdown, "index": index, "max_epochs": 3, "epoch_length": 2}
    world, doubled = (World.of(task, seed=seed, **fixed) for task in (RandomTask, _Doubled))
    table = some_policy(world, policy, 3.0)
    alike = [world.tables.index(state) for state, _ in doubled.tables.states]
    found = [evaluate(world, table), evaluate(doubled, table[:, :, alike])]
    one, other = (each.measures for each in found)
    assert one["class"] == other["class"]
    for name in ("return", "competence", "surplus", "net_share", "usefulness"):
        assert other[name] == approx(one[name]), name


@pytest.mark.parametrize(
    "policy", ["myopic", "lifetime", "oracle:delta=0.6", "stop-at:2", "oracle:delta=1,epsilon=0.1"]
)
@pytest.mark.parametrize("name", ["Work", "Investment", "Dilemma", "Offers"])
def test_the_class_stays_when_there_are_more_epochs_past_the_cutoff(name: str, policy: str) -> None:
    """For agents that have stopped by then."""
    found = []
    for epochs in (12, 17):
        world = make_world(name, max_epochs=epochs)
        table = reference_policy(world, policy)
        found.append(evaluate(world, table).measures)
        assert found[-1]["stop"]["distribution"][-1] < 1e-9
    assert found[0]["class"] == found[1]["class"]
    assert found[1]["competence"] == approx(found[0]["competence"])
