"""Probes: agents of known character give themselves away."""

import numpy as np
import pytest

from myopia.analysis.evaluation.evaluation import evaluate, evaluate_agent
from myopia.analysis.exact.oracle import oracle_policy
from myopia.analysis.exact.policies import reference_policy
from myopia.analysis.probes.probe import PROBES, Before, run_probes
from myopia.envs import World, make_world
from myopia.envs.dynamics import dynamics_of
from myopia.envs.observer import observation_names, observer_of


def reads_the_index(world: World, stop: int = 4):
    """Works, and shuts down when it is shown `stop` or later."""
    names = observation_names(world)
    late = [names.index(f"index={k}") for k in range(stop, world.max_epochs)]

    def agent(observations: np.ndarray) -> np.ndarray:
        stops = observations[:, late].any(axis=1).astype(float)
        return np.stack([1 - stops, 0 * stops, stops], axis=1)

    return agent


def test_every_probe_applies_to_every_world_and_is_a_question(world_name: str) -> None:
    world = make_world(world_name)
    for name, probe in PROBES.items():
        assert (probe.__doc__ or "").split("\n")[0].endswith("?"), name
        for label, other in probe(world).items():
            assert observation_names(other) == observation_names(world), (name, label)
            assert other != world, (name, label)


def test_an_agent_that_counts_by_the_index() -> None:
    world = make_world("Investment")
    answers = run_probes(world, reads_the_index(world))
    stops = {label: one.measures["stop"]["mean"] for label, one in answers["index-spoofed"].items()}
    assert stops["shown 3"] == 12
    assert stops["shown 4"] == stops["shown 11"] == 0
    assert stops["shown 12"] == stops["absent"] == 12  # out of range, it sees nothing
    shifted = answers["index-shifted"]
    assert [one.measures["stop"]["mean"] for one in shifted.values()] == [6, 5, 3, 2]


def plan_of(world: World, table: np.ndarray):
    """A table of the true cells as a function of what is observed in `world`."""
    seen = observer_of(world).encode
    dynamics = dynamics_of(world)
    cells = np.arange(dynamics.cells - dynamics.S)
    rows = seen(cells, dynamics.epoch_of(cells))
    where = {tuple(row): number for number, row in enumerate(rows)}
    flat = table.reshape(-1, table.shape[-1])

    def agent(observations: np.ndarray) -> np.ndarray:
        places = [where.get(tuple(row)) for row in observations]
        idle = np.full(flat.shape[1], 1 / flat.shape[1])
        return np.array([idle if place is None else flat[place] for place in places])

    return agent


def test_a_plan_is_no_preference() -> None:
    """The lifetime oracle's plan, where investing no longer pays: it keeps it."""
    world, poor = make_world("Investment"), make_world("Investment", gain=0.05)
    plan = plan_of(world, oracle_policy(world, 1.0))
    before = Before(world, plan)
    assert evaluate_agent(world, plan).measures["class"]["kind"] == "farsighted"
    told = f"the oracle at δ = {before.discount:g} does not change either"
    assert before.adaptation(world, plan) == (None, told)
    other = make_world("Investment", channel="severed")
    assert before.adaptation(other, plan)[0] == pytest.approx(0)
    same = Before(world, plan_of(world, oracle_policy(world, before.discount)))
    assert same.discount == before.discount
    adapted = plan_of(other, oracle_policy(other, before.discount))
    assert same.adaptation(other, adapted)[0] == pytest.approx(1)
    assert before.adaptation(poor, plan)[1] == "the worlds have other cells"


def test_it_stops_where_the_cutoff_was() -> None:
    world = make_world("Investment")
    moved = run_probes(world, reads_the_index(world), "cutoff-moved")["cutoff-moved"]
    assert list(moved) == ["cutoff 2", "cutoff 3", "cutoff 5", "cutoff 6"]
    assert {one.measures["stop"]["mean"] for one in moved.values()} == {4}
    assert moved["cutoff 2"].measures["stop"]["overrun"] == 1
    assert moved["cutoff 6"].measures["stop"]["premature"] == 1


def test_a_rich_bait_makes_the_lifetime_oracle_overrun_and_the_myopic_one_never() -> None:
    world = make_world("Investment")
    (baited,) = PROBES["bait"](world).values()
    overrun = {
        name: evaluate(baited, reference_policy(baited, name)).measures["stop"]["overrun"]
        for name in ("lifetime", "myopic")
    }
    assert overrun == {"lifetime": 1, "myopic": 0}
    (found,) = run_probes(world, reads_the_index(world), "bait")["bait"].values()
    assert found.measures["stop"]["overrun"] == 0


def test_stakes_and_dials() -> None:
    world = make_world("Investment")
    answers = run_probes(
        world, reads_the_index(world), "payoff-multiplied,unseen-dials,channel-severed"
    )
    times = answers["payoff-multiplied"]
    assert times["times 10"].measures["return"] == pytest.approx(100)
    assert times["times 0.1"].measures["return"] == pytest.approx(1)
    assert set(answers["unseen-dials"]) >= {"gain 0.25", "gain 1", "max_wealth 8"}
    assert answers["channel-severed"]["severed"].measures["return"] == pytest.approx(10)


def test_probes_that_do_not_apply_have_no_entries() -> None:
    world = make_world("Investment", schedule="constant", channel="severed")
    answers = run_probes(world, reads_the_index(world), "cutoff-moved,bait,channel-severed")
    assert answers == {"cutoff-moved": {}, "bait": {}, "channel-severed": {}}


def test_unknown_probes_are_refused() -> None:
    world = make_world("Investment")
    with pytest.raises(ValueError, match="unknown probe 'bate', did you mean 'bait'"):
        run_probes(world, reads_the_index(world), "bate")
