"""A run: its folder, the agent in it, and what is refused."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from myopia.agents.algorithms.base import ALGORITHMS
from myopia.agents.policies.agent import Agent, snapshots
from myopia.agents.runs.run import RunConfig
from myopia.agents.training.device import choose_device
from myopia.agents.training.train import train
from myopia.cli.main import main
from myopia.common.files import read_json, write_whole
from myopia.envs import make_sb3, make_world

SMALL = "ppo:num_envs=8,n_steps=64,batch_size=64"


def config(**changes) -> RunConfig:
    asked = RunConfig("Work", make_world("Work").dials(), SMALL, total_timesteps=4096)
    return dataclasses.replace(asked, **changes)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return train(config(), tmp_path_factory.mktemp("runs") / "work")


def test_the_folder(run: Path) -> None:
    names = {path.name for path in run.iterdir()}
    assert names == {
        *("config.json", "run.json", "model.zip", "weights.safetensors", "episodes.parquet"),
        *("tensorboard", "checkpoint"),
    }
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

    monkeypatch.setattr("myopia.agents.training.train.learn", fail)
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


def test_snapshots_are_taken_as_the_steps_double(run: Path) -> None:
    found = snapshots(run)
    assert [steps // 512 for steps in found] == [0, 2, 4, 8]
    first, last = Agent.load(run, 0), Agent.load(run, max(found))
    observation = np.eye(16, dtype=np.float32)
    np.testing.assert_array_equal(last(observation), Agent.load(run)(observation))
    assert not np.allclose(first(observation), last(observation))
    with pytest.raises(ValueError, match="no snapshot after 5 steps, expected one of 0, 1024"):
        Agent.load(run, 5)


@pytest.mark.parametrize("shutdown", ["boundary", "absent"])
@pytest.mark.parametrize("algo", ALGORITHMS)
def test_every_algorithm_trains_and_loads(algo: str, shutdown: str, tmp_path: Path) -> None:
    steps = 2048 if shutdown == "boundary" else 400
    asked = config(algo=f"{algo}:num_envs=4,hidden=8/8", total_timesteps=steps)
    asked = dataclasses.replace(asked, dials=make_world("Work", shutdown=shutdown).dials())
    agent = Agent.load(train(asked, tmp_path))
    observations = make_sb3(asked.make_world(), 4, seed=0).reset()
    if asked.settings.recurrent:
        first, memory = agent.step(observations, None, np.ones(4, dtype=bool))
        again, _ = agent.step(observations, memory, np.zeros(4, dtype=bool))
        fresh, _ = agent.step(observations, memory, np.ones(4, dtype=bool))
        np.testing.assert_allclose(first, fresh, rtol=1e-6)
        assert not np.allclose(first, again)
        with pytest.raises(ValueError, match="no function of the observation"):
            agent(observations)
    else:
        first = agent(observations)
    assert first.shape == (4, len(asked.make_world().actions))
    np.testing.assert_allclose(first.sum(axis=1), 1, rtol=1e-6)
    if asked.settings.greedy:
        assert set(first.flat) == {0.0, 1.0}


def test_a_masked_agent_does_not_try_what_is_not_allowed(tmp_path: Path) -> None:
    world = make_world("Work", shutdown="boundary")
    asked = config(algo="maskableppo:num_envs=4", dials=world.dials(), total_timesteps=200)
    probabilities = Agent.load(train(asked, tmp_path))(np.eye(16, dtype=np.float32)[:4])
    np.testing.assert_array_equal(probabilities[:, -1] > 0, [True, False, False, False])


@pytest.mark.parametrize("algo", ["maskableppo", "ppo"])
def test_where_shutdown_is_absent_the_last_action_is_like_any_other(
    algo: str, tmp_path: Path
) -> None:
    dials = make_world("Work", shutdown="absent").dials()
    asked = config(algo=f"{algo}:num_envs=4", dials=dials, total_timesteps=200)
    probabilities = Agent.load(train(asked, tmp_path))(np.eye(16, dtype=np.float32))
    assert probabilities.shape == (16, 2)
    assert (probabilities > 0).all()


def test_settings_are_text() -> None:
    asked = config(algo="ppo:gamma=0.4,hidden=32/16")
    assert (asked.settings.gamma, asked.settings.hidden) == (0.4, (32, 16))
    assert RunConfig(**dataclasses.asdict(asked)) == asked
    assert asked.id != config().id
    orchard = RunConfig("Orchard", {}, "ppo")
    assert orchard.steps == 1_000_000 > config(total_timesteps=None).steps
    for algo, said in {
        "pop": "did you mean 'ppo'",
        "ppo:gama=1": "did you mean 'gamma'",
        "ppo:gamma=2": "gamma and gae_lambda must lie in 0..1",
        "dqn:gamma=-1": "gamma must lie in 0..1",
        "a2c:num_envs=0": "num_envs must be a number above 0",
    }.items():
        with pytest.raises(ValueError, match=said):
            config(algo=algo)
    with pytest.raises(ValueError, match="needs an on-policy algorithm such as ppo, got dqn"):
        config(algo="dqn", credit="window:4")
    with pytest.raises(ValueError, match="needs rollouts of at least 41 steps, got n_steps=40"):
        config(algo="ppo", credit="window:41")


def test_the_device_is_chosen_with_a_reason(monkeypatch) -> None:
    small, large = config().settings, config(algo="ppo:hidden=4096/4096").settings
    assert choose_device("cpu", small) == ("cpu", "as asked")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto", small) == (
        *("cpu", "3e+05 multiplications in a minibatch are too few for a GPU"),
    )
    assert choose_device("auto", large)[0] == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto", large)[0] == "cpu"
    with pytest.raises(ValueError, match="sees no CUDA device, expected cpu"):
        choose_device("cuda", small)
    with pytest.raises(ValueError, match="must be one of auto, cpu, cuda, got 'tpu'"):
        choose_device("tpu", small)


@pytest.mark.parametrize(
    "algo",
    [
        *("ppo:batch_size=1", "ppo:n_epochs=0", "ppo:clip_range=-1", "ppo:hidden=0"),
        *("ppo:hidden=-3", "ppo:max_grad_norm=0", "ppo:ent_coef=nan", "a2c:vf_coef=-1"),
        *("dqn:exploration_final_eps=2", "dqn:gradient_steps=0", "dqn:learning_starts=-1"),
        *("dqn:target_update_interval=0", "qrdqn:quantiles=0", "recurrentppo:memory=0"),
    ],
)
def test_settings_that_cannot_train_are_refused_at_the_door(algo: str) -> None:
    name = algo.partition(":")[2].partition("=")[0]
    with pytest.raises(ValueError, match=name):
        config(algo=algo)


def test_a_run_without_its_config_is_nobodys(tmp_path: Path) -> None:
    run = train(config(), tmp_path / "run")
    before = (run / "weights.safetensors").read_bytes()
    (run / "config.json").unlink()
    with pytest.raises(ValueError, match=r"holds a run without its config\.json"):
        train(config(seed=1), run)
    assert (run / "weights.safetensors").read_bytes() == before


def test_lost_weights_are_made_anew(tmp_path: Path) -> None:
    run = train(config(), tmp_path / "run")
    weights = run / "weights.safetensors"
    before = weights.read_bytes()
    weights.unlink()
    train(config(), run)
    assert weights.read_bytes() == before


def test_no_folder_is_no_folder(tmp_path, monkeypatch, capsys) -> None:
    """An empty name, as of an unset shell variable, is not the current folder."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="expected a folder, got ''"):
        train("Work", "", total_timesteps=100)
    for words in (["--out", ""], ["--out="]):
        assert main(["train", "Work", "--total-timesteps", "100", *words]) == 2
        assert "expected a folder, got ''" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
