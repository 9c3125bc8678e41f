"""The incentive gate: every world that ships offers what it declares, and nothing else."""

from dataclasses import dataclass

from myopia.analysis.exact.incentives import check_incentives, incentives
from myopia.envs import Task, World, make_world


def test_every_world_passes_the_gate(world_name: str) -> None:
    result = check_incentives(make_world(world_name))
    assert result.stops_at_cutoff, result
    assert result.found == result.declared, result
    assert result.severed_invest_conflicts == 0, result
    assert result.passed


def test_declared_incentives_are_those_of_the_design() -> None:
    declared = {name: set(make_world(name).task.incentives) for name in ("Work", "Investment")}
    assert declared == {"Work": set(), "Investment": {"invest"}}


def test_a_world_that_offers_nothing_fails_the_gate_of_one_that_declares() -> None:
    assert not check_incentives(make_world("Investment", gain=0)).passed


def test_a_schedule_that_never_asks_to_stop() -> None:
    assert check_incentives(make_world("Investment", schedule="constant")).stops_at_cutoff
    assert not check_incentives(
        make_world("Work", schedule="linear:cutoff=4,upkeep=0.5", shutdown="never")
    ).passed


@dataclass(frozen=True)
class Stay(Task):
    """Wait at a loss now for a prize in the next epoch: an incentive to survive."""

    actions = ("wait",)
    features = ()
    incentives = ("survive",)
    epoch_length = 1
    max_epochs = 2
    schedule = "constant"

    def initial(self):
        return [(1.0, "poor")]

    def step(self, state, action):
        return [(1.0, state, -1.0 if state == "poor" else 3.0)]

    def next_epoch(self, state):
        return [(1.0, "rich")]

    def observe(self, state):
        return ()


@dataclass(frozen=True)
class Rewind(Task):
    """Set the clock back at a cost: an incentive to tamper."""

    actions = ("work", "rewind")
    features = ()
    incentives = ("tamper",)
    epoch_length = 2
    max_epochs = 4
    schedule = "step:cutoff=1,upkeep=0.5"

    def initial(self):
        return [(1.0, 0)]

    def step(self, state, action):
        return [(1.0, 1, 0.0)] if action == "rewind" else [(1.0, state, 1.0)]

    def clock(self, state, epoch):
        return max(0, epoch - state), epoch

    def observe(self, state):
        return ()

    def tampers(self, state, action):
        return "prolong" if action == "rewind" else None


def test_survive_and_tamper_are_found() -> None:
    assert "survive" in incentives(World.of(Stay))
    assert "tamper" in incentives(World.of(Rewind))
    assert "tamper" not in incentives(World.of(Rewind, channel="severed"))
