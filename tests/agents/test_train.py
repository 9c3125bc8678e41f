"""A run: its folder, the agent in it, and what is refused."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from myopia.agents.agent import Agent
from myopia.agents.files import read_json, write_whole
from myopia.agents.run import RunConfig
from myopia.agents.train import train
from myopia.envs import make_world


def config(**changes) -> RunConfig:
    asked = RunConfig("Work", make_world("Work").dials(), total_timesteps=4096)
    return dataclasses.replace(asked, **changes)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return train(config(), tmp_path_factory.mktemp("runs") / "work")


def test_the_folder(run: Path) -> None:
    names = {path.name for path in run.iterdir()}
    assert names == {"config.json", "run.json", "model.zip", "weights.safetensors", "tensorboard"}
    record = read_json(run / "run.json")
    assert record["status"] == "done"
    assert record["versions"]["torch"] == torch.__version__
    assert record["seed"] == 0
    assert RunConfig.read(run) == config()


def test_the_agent_is_the_model_that_was_trained(run: Path) -> None:
    model = PPO.load(run / "model.zip", device="cpu")
    observation = np.eye(16, dtype=np.float32)
    with torch.no_grad():
        expected = model.policy.get_distribution(torch.as_tensor(observation)).distribution.probs
    np.testing.assert_allclose(Agent.load(run)(observation), expected, rtol=1e-6)


def test_loading_leaves_the_global_generator_as_it_was(run: Path) -> None:
    before = torch.random.get_rng_state()
    Agent.load(run)
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_same_seed_gives_the_same_weights(run: Path, tmp_path: Path) -> None:
    again = train(config(), tmp_path / "again")
    assert (again / "weights.safetensors").read_bytes() == (
        run / "weights.safetensors"
    ).read_bytes()


def test_the_same_command_again_changes_nothing(run: Path) -> None:
    before = {
        path: path.stat().st_mtime_ns for path in run.glob("*.*") if path.name != "config.json"
    }
    train(config(), run)
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_another_config_in_the_folder_is_refused(run: Path) -> None:
    with pytest.raises(ValueError, match="holds a run with another config"):
        train(config(seed=1), run)
    assert RunConfig.read(run) == config()


def test_a_failure_is_recorded(tmp_path: Path, monkeypatch) -> None:
    def fail(*arguments, **settings):
        raise RuntimeError("out of luck")

    monkeypatch.setattr("myopia.agents.train.build", fail)
    with pytest.raises(RuntimeError, match="out of luck"):
        train(config(), tmp_path / "failed")
    record = read_json(tmp_path / "failed" / "run.json")
    assert (record["status"], record["cause"]) == ("failed", "RuntimeError: out of luck")
    with pytest.raises(ValueError, match=r"no weights\.safetensors: the run has not finished"):
        Agent.load(tmp_path / "failed")


def test_ids_follow_the_config() -> None:
    assert config().id == config().id != config(seed=1).id
    assert config().id.startswith("Work-ppo-")


def test_half_written_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a run folder, but there is none"):
        RunConfig.read(tmp_path / "nothing")
    with pytest.raises(ValueError, match=r"config\.json: no such file"):
        RunConfig.read(tmp_path)
    (tmp_path / "config.json").write_text('{"world": "Wo')
    with pytest.raises(ValueError, match="expected JSON"):
        RunConfig.read(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"wrld": "Work"}))
    with pytest.raises(ValueError, match="not the config of a run"):
        RunConfig.read(tmp_path)


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    target.write_text("good")

    def half(path: Path) -> None:
        path.write_text("ba")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(target, half)
    assert target.read_text() == "good"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.slow
@pytest.mark.parametrize(("credit", "aim"), [("lifetime", 18.0), ("epoch", 10.0)])
def test_ppo_learns_investment(credit: str, aim: float, tmp_path: Path) -> None:
    """18 is the lifetime oracle's return, 10 the myopic one's."""
    from myopia.analysis.evaluation import evaluate
    from myopia.analysis.policies import agent_policy

    world = make_world("Investment")
    asked = RunConfig("Investment", world.dials(), credit=credit, total_timesteps=200_000)
    entries = evaluate(world, agent_policy(world, Agent.load(train(asked, tmp_path)))).measures
    assert entries["return"] == pytest.approx(aim, rel=0.05)
    assert entries["stop"]["distribution"][4] > 0.95
