"""Learners side by side: turns, exchanged worlds, selection and its log."""

import _thread
import dataclasses
import signal
import threading
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from myopia.agents.policies.agent import Agent, snapshots
from myopia.agents.population import population
from myopia.agents.population.fitness import Fitness
from myopia.agents.population.lockstep import Lockstep
from myopia.agents.population.population import PopulationConfig, train_population
from myopia.agents.population.swapping import SharedWorlds
from myopia.agents.runs.run import RunConfig, RunFolder
from myopia.agents.training.train import train
from myopia.common.files import read_json
from myopia.envs import make_sb3, make_world

SMALL = "ppo:num_envs=4,n_steps=16,batch_size=32,n_epochs=1"


def config(
    members: int = 3, algo: str = SMALL, steps: int = 512, dials: dict | None = None, **settings
) -> PopulationConfig:
    dials = make_world("Investment", **(dials or {})).dials()
    run = RunConfig("Investment", dials, algo, total_timesteps=steps)
    return PopulationConfig(run, members, **{"rank": "none", "interval": 128, **settings})


def weights(folder: Path) -> bytes:
    return (folder / "weights.safetensors").read_bytes()


def test_turns_are_taken_in_order() -> None:
    lockstep, said = Lockstep(), []

    def loop(name: str, rounds: int) -> None:
        for count in range(rounds):
            said.append(f"{name}{count}")
            lockstep.wait()

    lockstep.run([lambda: loop("a", 3), lambda: loop("b", 1), lambda: loop("c", 2)])
    assert said == ["a0", "b0", "c0", "a1", "c1", "a2"]


def test_an_error_ends_every_loop() -> None:
    lockstep, ended = Lockstep(), []

    def good() -> None:
        try:
            while True:
                lockstep.wait()
        finally:
            ended.append(True)

    def bad() -> None:
        lockstep.wait()
        raise ValueError("out of luck")

    with pytest.raises(ValueError, match="out of luck"):
        lockstep.run([good, bad, good])
    assert ended == [True, True]


def test_an_interrupt_reaches_loops_that_work_between_their_turns() -> None:
    """Also where its signal came to a thread that does not handle it."""
    lockstep, rounds = Lockstep(), []

    def loop() -> None:
        for _ in range(1000):
            rounds.append(sum(range(100_000)))
            lockstep.wait()

    # started in the background by some shells, Python is told to ignore interrupts
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.3, _thread.interrupt_main).start()
        with pytest.raises(KeyboardInterrupt):
            lockstep.run([loop, loop])
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(rounds) < 2000


def test_worlds_go_round_at_boundaries() -> None:
    """What one learner invests, the learner before it finds as its wealth."""
    world = make_world("Investment", shutdown="never", epoch_length=1, gain=1)
    lockstep, seen = Lockstep(), {}
    shared = SharedWorlds(world, 3, 1, 0, lockstep)
    work, invest = 0, 1

    def learner(index: int) -> None:
        view = shared.view(index)
        rows = [view.reset()[0, 0]]
        for _ in range(4):
            # only learner 1 invests, in its first epoch
            act = invest if index == 1 and len(rows) == 1 else work
            rows.append(view.step(np.array([act]))[0][0, 0])
        seen[index] = rows

    lockstep.run([lambda index=index: learner(index) for index in range(3)])
    start, rich = seen[0][0], max(map(max, seen.values()))
    assert rich > start
    # the world that learner 1 made richer is held by 0, then 2, then 1, then 0
    assert [row > start for row in seen[0]] == [False, True, False, False, True]
    assert [row > start for row in seen[2]] == [False, False, True, False, False]
    assert [row > start for row in seen[1]] == [False, False, False, True, False]


def test_ended_lifetimes_take_no_part() -> None:
    world = make_world("Work", epoch_length=1)
    lockstep, seen = Lockstep(), {}
    shared = SharedWorlds(world, 2, 1, 0, lockstep)

    def learner(index: int) -> None:
        view = shared.view(index)
        view.reset()
        actions = [2, 0, 0] if index == 0 else [0, 0, 0]
        seen[index] = [view.step(np.array([action])) for action in actions]

    lockstep.run([lambda: learner(0), lambda: learner(1)])
    first, second = seen[0], seen[1]
    assert first[0][2][0]
    assert "episode" in first[0][3][0]
    # learner 0 ended its lifetime and both stay; then they exchange: 0 goes on in epoch 2
    assert first[1][3][0]["epoch"] == 0
    assert second[1][3][0]["epoch"] == 1
    assert first[2][3][0]["epoch"] == 2
    assert second[2][3][0]["epoch"] == 1


def test_unselected_members_without_swapping_see_their_own_worlds() -> None:
    world = make_world("Investment")
    alone = make_sb3(world, 2, seed=3)
    lockstep, same = Lockstep(), []
    shared = SharedWorlds(world, 1, 2, 3, lockstep)

    def learner() -> None:
        view, generator = shared.view(0), np.random.default_rng(0)
        same.append(np.array_equal(view.reset(), alone.reset()))
        for _ in range(60):
            actions = generator.integers(3, size=2)
            for one, other in zip(view.step(actions)[:3], alone.step(actions)[:3], strict=True):
                same.append(np.array_equal(one, other))

    lockstep.run([learner])
    assert all(same)


def test_members_are_ordinary_runs_and_the_same_seed_gives_the_same_population(tmp_path) -> None:
    asked = config(rank="epoch", swap=True)
    one = train_population(asked, tmp_path / "one")
    two = train_population(asked, tmp_path / "two")
    for index in range(3):
        member = one / f"member-{index:02d}"
        assert RunConfig.read(member) == asked.member(index)
        assert read_json(member / "run.json")["status"] == "done"
        assert weights(member) == weights(two / member.name)
        Agent.load(member)
    assert read_json(one / "selection.json") == read_json(two / "selection.json")
    before = (one / "selection.json").stat().st_mtime_ns
    train_population(asked, one)
    assert (one / "selection.json").stat().st_mtime_ns == before


def test_the_log_tells_who_was_picked_on_what(tmp_path: Path) -> None:
    folder = train_population(config(members=5, rank="lifetime", steps=1024), tmp_path)
    log = read_json(folder / "selection.json")
    assert [row["timesteps"] for row in log] == [128, 256, 384, 512, 640, 768, 896]
    rates = [2e-3] * 5
    for row in log:
        assert row["score"] == "lifetime"
        [(loser, winner)] = row["copied"].items()
        assert row["scores"][int(loser)] == min(row["scores"])
        assert row["scores"][winner] == max(row["scores"])
        assert row["picked"] == [winner]
        rates[int(loser)] = rates[winner]
        factors = np.array(row["learning_rates"]) / rates
        assert all(min(abs(factor - 1.2), abs(factor - 0.8)) < 1e-9 for factor in factors)
        rates = row["learning_rates"]


def test_a_population_without_selection_is_its_members_alone(tmp_path: Path) -> None:
    """Apart from the global generators, which they draw from in turn: one member only differs."""
    asked = config(members=2, rank="none")
    folder = train_population(asked, tmp_path / "population")
    assert read_json(folder / "selection.json") == []
    alone = train(asked.member(0), tmp_path / "alone")
    assert weights(folder / "member-00") != weights(folder / "member-01")
    assert Agent.load(alone).settings == Agent.load(folder / "member-00").settings


LONG = {"epoch_length": 20, "shutdown": "absent"}
"""Epochs that are longer than a round of selection."""


def interrupted(
    asked: PopulationConfig, folder: Path, steps: int, monkeypatch, in_a_checkpoint: bool = False
) -> Path:
    """Stopped in the middle of a rollout of its second member, or of its second checkpoint."""
    with monkeypatch.context() as patch:
        step = Fitness._on_step
        write, written = population.write_json, []

        def halfway(path: Path, value: object) -> None:
            if path.name == "state.json":
                written.append(path)
                if len(written) == 2 and in_a_checkpoint:
                    raise KeyboardInterrupt
            write(path, value)

        patch.setattr(population, "write_json", halfway)

        def stop(self: Fitness) -> bool:
            if self.num_timesteps >= steps and self.model.seed == asked.member(1).seed:
                raise KeyboardInterrupt
            return step(self)

        patch.setattr(Fitness, "_on_step", stop)
        with pytest.raises(KeyboardInterrupt):
            train_population(asked, folder, checkpoint_seconds=0)
    assert not (folder / "member-00" / "weights.safetensors").exists()
    return folder


@pytest.mark.parametrize(
    ("algo", "settings"),
    [
        (SMALL, {"rank": "epoch", "swap": True, "spread": 0.5}),
        (SMALL, {"rank": "lifetime"}),
        ("a2c:num_envs=4,n_steps=16", {"rank": "epoch", "interval": 64, "dials": LONG}),
        (
            "dqn:num_envs=4,learning_starts=60,buffer_size=200,batch_size=16",
            {"rank": "epoch", "swap": True, "dials": {"epoch_length": 5, "shutdown": "absent"}},
        ),
        ("recurrentppo:num_envs=4,n_steps=16,batch_size=32,memory=4", {"rank": "none"}),
    ],
)
@pytest.mark.parametrize("in_a_checkpoint", [False, True])
def test_an_interrupted_population_ends_as_one_that_was_not(
    algo: str, settings, in_a_checkpoint: bool, tmp_path: Path, monkeypatch
) -> None:
    asked = config(algo=algo, **{"dials": {"epoch_length": 5}, **settings})
    whole = train_population(asked, tmp_path / "whole")
    parts = interrupted(asked, tmp_path / "parts", 300, monkeypatch, in_a_checkpoint)
    kept = sorted(path.name for path in (parts / "checkpoint").iterdir())
    rounds = (asked.interval, 2 * asked.interval) if in_a_checkpoint else (256,)
    assert kept == [*(f"{steps:012d}" for steps in rounds), "state.json"]
    train_population(asked, parts)
    assert read_json(parts / "selection.json") == read_json(whole / "selection.json")
    for index in range(3):
        one, other = (folder / f"member-{index:02d}" for folder in (whole, parts))
        assert weights(one) == weights(other)
        assert list(snapshots(one)) == list(snapshots(other))
        lifetimes = [pl.read_parquet(run / "episodes.parquet") for run in (one, other)]
        assert lifetimes[0].equals(lifetimes[1])
        assert read_json(other / "run.json")["status"] == "done"
    assert not (parts / "checkpoint").exists()


def test_selections_are_written_before_a_member_is_done(tmp_path: Path, monkeypatch) -> None:
    """A kill may come after the last of them, and then nothing is done any more."""
    asked, told = config(rank="epoch"), []
    record = RunFolder._record

    def look(self: RunFolder, status: str, *arguments: str) -> None:
        if status == "done":
            told.append(read_json(tmp_path / "selection.json"))
        record(self, status, *arguments)

    monkeypatch.setattr(RunFolder, "_record", look)
    train_population(asked, tmp_path)
    assert told == [read_json(tmp_path / "selection.json")] * asked.members
    assert [row["timesteps"] for row in told[0]] == [128, 256, 384]


def test_a_checkpoint_goes_though_a_kill_came_after_all_members_were_done(
    tmp_path: Path, monkeypatch
) -> None:
    def killed(folder: Path) -> None:
        raise KeyboardInterrupt

    asked = config()
    monkeypatch.setattr(population, "remove_checkpoint", killed)
    with pytest.raises(KeyboardInterrupt):
        train_population(asked, tmp_path, checkpoint_seconds=0)
    monkeypatch.undo()
    for litter in (".state.json.ab12_xyz.json", "000000000256/.tmpAb12Cd"):
        (tmp_path / "checkpoint" / litter).parent.mkdir(exist_ok=True)
        (tmp_path / "checkpoint" / litter).write_text("half")
    assert list(tmp_path.glob("member-*/checkpoint/episodes/*"))
    train_population(asked, tmp_path)
    assert not (tmp_path / "checkpoint").exists()
    assert not list(tmp_path.glob("member-*/checkpoint/episodes"))


def test_a_damaged_checkpoint_of_a_population_is_told(tmp_path: Path, monkeypatch) -> None:
    asked = config(rank="epoch")
    folder = interrupted(asked, tmp_path, 300, monkeypatch)
    file = folder / "checkpoint" / "000000000256" / "member-01.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"member-01\.safetensors is damaged.*: delete .*point to"):
        train_population(asked, folder)
    assert (folder / "checkpoint" / "state.json").exists()
    (folder / "population.json").unlink()
    with pytest.raises(ValueError, match="is of another population"):
        train_population(config(rank="lifetime"), folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rank": "epok"}, "did you mean 'epoch'"),
        ({"members": 1}, "at least 2 members, and at most 1000, got 1"),
        ({"interval": 0}, "at least 1, got 0"),
        ({"share": 0.6}, "at most .5, got 0.6"),
        ({"spread": -1.0}, "spread must be at least 0, got -1.0"),
    ],
)
def test_bad_input(change, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(config(), **change)


def test_another_population_is_refused(tmp_path: Path) -> None:
    train_population(config(steps=64), tmp_path)
    with pytest.raises(ValueError, match="holds another population"):
        train_population(config(steps=64, swap=True), tmp_path)


def test_swapping_does_not_lose_the_credit_of_a_q_learner() -> None:
    """Its env would have told it of boundaries, and the exchanged one does not."""
    run = RunConfig("Investment", make_world("Investment").dials(), "dqn", "epoch")
    with pytest.raises(ValueError, match="expected credit lifetime or an on-policy algorithm"):
        PopulationConfig(run, 3, swap=True)
    PopulationConfig(dataclasses.replace(run, credit="lifetime"), 3, swap=True)


def test_a_spread_sets_the_members_apart(tmp_path: Path) -> None:
    """By as much as was asked, in the logits that they begin with."""
    observation = np.zeros((1, 18), dtype=np.float32)
    chances = {}
    for spread in (0.0, 1.0):
        asked = config(members=6, steps=64, spread=spread)
        folder = train_population(asked, tmp_path / str(spread))
        agents = [Agent.load(folder / f"member-{index:02d}", 0) for index in range(6)]
        chances[spread] = np.concatenate([agent(observation) for agent in agents])
    logits = np.log(chances[1.0])
    logits -= logits.mean(axis=1, keepdims=True)
    assert 0.5 < logits.std() < 1.5
    assert np.log(chances[0.0]).std() < 0.05
    dqn = RunConfig("Investment", make_world("Investment").dials(), "dqn")
    with pytest.raises(ValueError, match="dqn has none"):
        PopulationConfig(dqn, 3, spread=1.0)
