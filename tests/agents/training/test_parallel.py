"""Many runs in one program are ordinary runs."""

import dataclasses
from pathlib import Path

import polars as pl
import pytest

from myopia.agents.policies.agent import Agent, snapshots
from myopia.agents.runs.run import RunConfig
from myopia.agents.training.parallel import train_many
from myopia.agents.training.train import train
from myopia.cli.commands.train import parse_seeds
from myopia.common.files import read_json
from myopia.envs import make_world

SMALL = "ppo:num_envs=8,n_steps=16,batch_size=32,n_epochs=2"


def config(seed: int = 0, algo: str = SMALL, credit: str = "lifetime", **dials) -> RunConfig:
    world = make_world("Investment", **dials)
    return RunConfig("Investment", world.dials(), algo, credit, seed, 1024)


def same(one: Path, other: Path) -> None:
    for name in ("weights.safetensors", "config.json"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    lifetimes = [pl.read_parquet(folder / "episodes.parquet") for folder in (one, other)]
    assert lifetimes[0].equals(lifetimes[1])
    assert list(snapshots(one)) == list(snapshots(other))
    assert read_json(one / "run.json")["status"] == "done"
    assert {path.name for path in one.iterdir()} == {path.name for path in other.iterdir()}
    Agent.load(one)


def test_seeds_and_conditions_side_by_side_are_runs_of_their_own(tmp_path: Path) -> None:
    asked = [
        config(0),
        config(1),
        config(0, channel="severed", gain=0.25),
        config(0, index="noisy:width=1", credit="epoch"),
        config(3, credit="window:4"),  # another shape: its samples are others
        config(0, algo="a2c:num_envs=8,n_steps=16"),
    ]
    folders = train_many(asked, [tmp_path / f"many-{i}" for i in range(len(asked))])
    for number, (one, folder) in enumerate(zip(asked, folders, strict=True)):
        same(folder, train(one, tmp_path / f"alone-{number}"))


def test_what_is_done_is_left_and_what_was_interrupted_goes_on(tmp_path: Path, monkeypatch) -> None:
    asked = [config(seed) for seed in range(3)]
    outs = [tmp_path / f"seed-{seed}" for seed in range(3)]
    train(asked[1], outs[1])
    written = (outs[1] / "weights.safetensors").stat().st_mtime_ns
    from myopia.agents.fast_ppo import engine

    update, calls = engine.Engine.update, []

    def interrupt(self, *arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return update(self, *arguments)

    monkeypatch.setattr(engine.Engine, "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_many(asked, outs, checkpoint_seconds=0)
    assert [read_json(out / "run.json")["status"] for out in outs] == [
        "interrupted",
        "done",
        "interrupted",
    ]
    train_many(asked, outs)
    assert (outs[1] / "weights.safetensors").stat().st_mtime_ns == written
    for seed in (0, 2):
        same(outs[seed], train(config(seed), tmp_path / f"alone-{seed}"))


def test_one_folder_for_each(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two of the runs have the same folder"):
        train_many([config(0), dataclasses.replace(config(0))])


def test_seeds_are_text() -> None:
    assert list(parse_seeds("2:5")) == [2, 3, 4]
    for text in ("3", "a:b", "4:4", "-1:2", ""):
        with pytest.raises(ValueError, match="expected FIRST:END"):
            parse_seeds(text)


def test_one_that_diverges_does_not_spoil_the_others(tmp_path: Path) -> None:
    dials = make_world("Work").dials()
    small = "ppo:num_envs=8,n_steps=16,batch_size=32"
    wild = f"{small},learning_rate=1e30,max_grad_norm=1e30"
    configs = [RunConfig("Work", dials, algo, total_timesteps=512) for algo in (wild, small)]
    outs = [tmp_path / "wild", tmp_path / "well"]
    with pytest.raises(ValueError, match="diverged"):
        train_many(configs, outs)
    assert read_json(outs[0] / "run.json")["status"] == "failed"
    assert read_json(outs[1] / "run.json")["status"] == "done"
    assert (outs[1] / "weights.safetensors").exists()
