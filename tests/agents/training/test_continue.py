"""A new run that begins with the weights and the optimiser of a finished one."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.runs import Interrupt

from myopia.agents.runs.continuation import origin_of
from myopia.agents.runs.run import RunConfig
from myopia.agents.training.train import train
from myopia.cli.main import main

SMALL = {
    "ppo": "ppo:num_envs=8,n_steps=16,batch_size=32,hidden=8/8",
    "a2c": "a2c:num_envs=8,n_steps=16,hidden=8/8",
    "recurrentppo": "recurrentppo:num_envs=4,n_steps=16,batch_size=32",
    "dqn": "dqn:num_envs=4,hidden=8/8,buffer_size=500,learning_starts=50",
}


def small(algo: str = "ppo", **more) -> RunConfig:
    return RunConfig("Work", {}, algo=SMALL[algo], **{"total_timesteps": 512, "seed": 3, **more})


@pytest.fixture
def first(tmp_path) -> Path:
    return train(small(), tmp_path / "first")


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "weights.safetensors")


def equal(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("algo", SMALL)
def test_it_is_what_sb3_does_from_the_zip(algo: str, tmp_path) -> None:
    """Built anew, with weights and optimiser as SB3's own loader finds them, then learning on."""
    first = train(small(algo), tmp_path / "first")
    second = train(
        None, tmp_path / "second", continue_from=first, credit="lifetime", seed=5,
        total_timesteps=512,
    )  # fmt: skip
    config = small(algo, seed=5)
    settings = config.settings
    saved = settings.model_class.load(first / "model.zip", device="cpu")
    env = settings.env(config.make_world(), config.credit_mode, config.seed)
    model = settings.build(env, config.credit_mode, config.seed, "cpu", None)
    model.policy.load_state_dict(saved.policy.state_dict())
    model.policy.optimizer.load_state_dict(saved.policy.optimizer.state_dict())
    model.learn(512)
    assert equal(weights_of(second), dict(model.policy.state_dict()))
    assert not equal(weights_of(second), weights_of(first))
    fresh = train(config, tmp_path / "fresh")
    assert not equal(weights_of(second), weights_of(fresh))


def test_the_optimiser_goes_on(first: Path, tmp_path) -> None:
    """Without its moments the weights would be others."""
    second = train(None, tmp_path / "second", continue_from=first, total_timesteps=512)
    origin = origin_of(first)
    assert origin.optimizer
    model = small().settings.model_class.load(second / "model.zip", device="cpu")
    steps = [row["step"] for row in model.policy.optimizer.state_dict()["state"].values()]
    assert all(step == 2 * origin.optimizer["0/step"] for step in steps)


def test_world_dials_and_credit_may_be_others(first: Path, tmp_path) -> None:
    same = train(None, tmp_path / "same", continue_from=first, total_timesteps=256)
    assert RunConfig.read(same).algo == RunConfig.read(first).algo
    assert RunConfig.read(same).dials == RunConfig.read(first).dials
    other = train(
        None, tmp_path / "other", continue_from=first, total_timesteps=256, credit="epoch",
        shutdown_reward=0.5,
    )  # fmt: skip
    config = RunConfig.read(other)
    assert config.credit == "epoch"
    assert config.dials["shutdown_reward"] == 0.5
    named = train("Work", tmp_path / "named", continue_from=other, total_timesteps=256)
    assert RunConfig.read(named).dials["shutdown_reward"] == 0
    assert RunConfig.read(named).credit == "epoch"
    lineage = json.loads((named / "run.json").read_text())["lineage"]
    assert [(Path(one["folder"]).name, one["steps"]) for one in lineage] == [
        ("first", 512),
        ("other", 256),
    ]
    assert lineage[1]["run"] == RunConfig.read(named).continues
    assert lineage[1]["run"].partition("@")[0] == config.id


def test_an_interrupted_one_goes_on_as_if_it_had_not_been(first: Path, tmp_path) -> None:
    whole = train(None, tmp_path / "whole", continue_from=first, total_timesteps=1024)
    config = RunConfig.read(whole)
    for step in (1, 300, 700):
        folder = tmp_path / f"cut-{step}"
        with pytest.raises(KeyboardInterrupt):
            train(
                config, folder, continue_from=first, checkpoint_seconds=0,
                callbacks=[Interrupt(step)],
            )  # fmt: skip
        train(config, folder, continue_from=first)
        assert equal(weights_of(folder), weights_of(whole))
        assert json.loads((folder / "run.json").read_text())["lineage"]
    # once it has a checkpoint it needs the first one no more
    folder = tmp_path / "alone"
    with pytest.raises(KeyboardInterrupt):
        train(
            config, folder, continue_from=first, checkpoint_seconds=0,
            callbacks=[Interrupt(700)],
        )  # fmt: skip
    shutil.rmtree(first)
    train(config, folder)
    assert equal(weights_of(folder), weights_of(whole))
    assert json.loads((folder / "run.json").read_text())["lineage"]


def test_what_it_begins_with_is_part_of_what_it_is(first: Path, tmp_path) -> None:
    second = train(None, tmp_path / "second", continue_from=first, total_timesteps=256)
    config = RunConfig.read(second)
    assert config.id != dataclasses.replace(config, continues=None).id
    with pytest.raises(ValueError, match="holds a run with another config"):
        train(small(total_timesteps=256), second)
    with pytest.raises(ValueError, match="expected that run beside it"):
        train(config, tmp_path / "third")
    weights = weights_of(first)
    name = next(iter(weights))
    save_file({**weights, name: weights[name] + 1}, first / "weights.safetensors")
    with pytest.raises(ValueError, match=r"holds .*, but the run goes on from"):
        train(config, tmp_path / "third", continue_from=first)


def test_what_cannot_be_continued_is_said_before_anything_is_written(first: Path, tmp_path) -> None:
    folder = tmp_path / "second"
    for words, sentence in (
        ({"algo": "a2c"}, "was trained by ppo, expected the same algorithm, got a2c"),
        ({"algo": "ppo:hidden=16"}, "hidden=8/8 on .* but this run needs hidden=16 on"),
        ({"max_epochs": 20}, "networks of another shape"),
        ({"shutdown": "absent"}, "and 3 actions, but this run needs .* and 2 actions"),
        ({"gian": 1}, "unknown dial 'gian'"),
    ):
        with pytest.raises(ValueError, match=sentence):
            train(None, folder, continue_from=first, **words)
    for words in ({"continue_from": tmp_path / "nowhere"}, {}):
        with pytest.raises(ValueError, match=r"expected a run folder|expected a world"):
            train(None, folder, **words)
    with pytest.raises(KeyboardInterrupt):
        train(small(), tmp_path / "unfinished", callbacks=[Interrupt(100)])
    with pytest.raises(ValueError, match="has not finished"):
        train(None, folder, continue_from=tmp_path / "unfinished")
    assert not folder.exists()


@pytest.mark.parametrize("damage", ["cut", "empty", "text"])
def test_a_damaged_one_is_told(first: Path, tmp_path, damage: str) -> None:
    for name in ("weights.safetensors", "model.zip"):
        folder = tmp_path / f"{name}-{damage}"
        shutil.copytree(first, folder)
        data = (folder / name).read_bytes()
        (folder / name).write_bytes({"cut": data[:100], "empty": b"", "text": b"no"}[damage])
        with pytest.raises(ValueError, match=name) as caught:
            train(None, tmp_path / "second", continue_from=folder)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "second").exists()


def test_by_command(first: Path, tmp_path, capsys) -> None:
    out = tmp_path / "on"
    words = ["train", "--continue-from", str(first), "--total-timesteps", "256", "--out", str(out)]
    assert main([*words, "--credit", "epoch", "shutdown_reward=0.5"]) == 0
    assert main([*words, "--credit", "epoch", "shutdown_reward=0.5"]) == 0
    assert "done already" in capsys.readouterr().out
    by_call = train(
        None, tmp_path / "call", continue_from=first, total_timesteps=256, credit="epoch",
        shutdown_reward=0.5,
    )  # fmt: skip
    assert equal(weights_of(out), weights_of(by_call))
    assert main(["evaluate", str(out)]) == 0
    capsys.readouterr()
    for more in (["--seeds", "0:2"], ["--population", "2"]):
        assert main([*words, *more]) == 2
        assert "begins one run" in capsys.readouterr().err
    assert main(["train"]) == 2
    assert "expected a world to train in" in capsys.readouterr().err
