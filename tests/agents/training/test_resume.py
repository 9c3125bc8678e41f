"""Runs that last: an interrupted run, gone on with, ends where an uninterrupted one does."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file
from stable_baselines3.common.callbacks import BaseCallback
from support.runs import Interrupt, forged

from myopia.agents.runs.run import RunConfig
from myopia.agents.training.train import train
from myopia.common.files import read_json
from myopia.envs import make_world
from myopia.envs.credit.credit import Credit

SMALL = {
    "ppo": "ppo:num_envs=8,n_steps=16,batch_size=32,n_epochs=2",
    "a2c": "a2c:num_envs=8,n_steps=16",
    "dqn": "dqn:num_envs=8,learning_starts=200,buffer_size=900,batch_size=32",
    "qrdqn": "qrdqn:num_envs=8,learning_starts=200,buffer_size=900,batch_size=32,quantiles=5",
    "maskableppo": "maskableppo:num_envs=8,n_steps=16,batch_size=32,n_epochs=2",
    "recurrentppo": "recurrentppo:num_envs=8,n_steps=16,batch_size=32,n_epochs=2,memory=8",
}


def config(algo: str = "ppo", shutdown: str = "anytime", **changes) -> RunConfig:
    dials = make_world("Investment", index="noisy:width=1", shutdown=shutdown).dials()
    settings = {"total_timesteps": 2048, **changes}
    return RunConfig("Investment", dials, SMALL.get(algo, algo), **settings)


def interrupted(asked: RunConfig, folder: Path, steps: int = 1100) -> Path:
    with pytest.raises(KeyboardInterrupt):
        train(asked, folder, checkpoint_seconds=0, callbacks=[Interrupt(steps)])
    assert read_json(folder / "run.json")["status"] == "interrupted"
    assert not (folder / "weights.safetensors").exists()
    return folder


def weights(folder: Path) -> bytes:
    return (folder / "weights.safetensors").read_bytes()


@pytest.mark.parametrize("credit", ["epoch", "window:5", "discount:0.5"])
@pytest.mark.parametrize("algo", SMALL)
def test_resumed_equals_uninterrupted_bit_for_bit(algo: str, credit: str, tmp_path: Path) -> None:
    if "dqn" in algo and Credit.of(credit).flag is None:
        pytest.skip("no flag can tell it, and that is all an off-policy algorithm reads")
    asked = config(algo, credit=credit)
    whole = train(asked, tmp_path / "whole")
    folder = interrupted(asked, tmp_path / "parts")
    train(asked, folder)
    assert weights(whole) == weights(folder)
    one, other = (pl.read_parquet(path / "episodes.parquet") for path in (whole, folder))
    assert one.equals(other)
    assert len(one) > 20
    assert not (folder / "checkpoint" / "state.safetensors").exists()
    assert read_json(folder / "run.json")["status"] == "done"


@pytest.mark.parametrize("algo", ["ppo", "maskableppo", "dqn"])
def test_resumed_where_shutdown_is_absent(algo: str, tmp_path: Path) -> None:
    asked = config(algo, shutdown="absent", total_timesteps=1024)
    whole = train(asked, tmp_path / "whole")
    train(asked, interrupted(asked, tmp_path / "parts", steps=600))
    assert weights(whole) == weights(tmp_path / "parts")


def test_saving_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    often = train(config(), tmp_path / "often", checkpoint_seconds=0)
    assert weights(often) == weights(train(config(), tmp_path / "never"))


def test_training_leaves_the_global_generators_as_they_were(tmp_path: Path) -> None:
    import torch

    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    train(config(total_timesteps=256), tmp_path)
    assert torch.equal(before[0], torch.random.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002


def test_a_callback_is_kept_in_the_checkpoint(tmp_path: Path) -> None:
    class Counter(BaseCallback):
        steps = 0

        def _on_step(self) -> bool:
            self.steps += 1
            return True

        def state(self) -> int:
            return self.steps

        def restore(self, state: int) -> None:
            self.steps = state

    first, second = Counter(), Counter()
    with pytest.raises(KeyboardInterrupt):
        train(config(), tmp_path, checkpoint_seconds=0, callbacks=[first, Interrupt(1100)])
    train(config(), tmp_path, callbacks=[second])
    assert second.steps == 2048 / 8


def test_a_killed_run_loses_the_steps_since_its_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [
        *(sys.executable, "-m", "myopia.agents.train", "Investment", "--algo", SMALL["ppo"]),
        *("--total-timesteps", "12000", "--out", str(folder), "--checkpoint-seconds", "0.1"),
    ]
    state = folder / "checkpoint" / "state.safetensors"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while not state.exists():
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert read_json(folder / "run.json")["status"] == "running"
    assert state.exists()
    subprocess.run(command, check=True, capture_output=True)
    asked = RunConfig.read(folder)
    assert weights(folder) == weights(train(asked, tmp_path / "whole"))


def test_a_damaged_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    state = interrupted(config(), tmp_path) / "checkpoint" / "state.safetensors"
    good = state.read_bytes()
    state.write_bytes(good[: len(good) // 2])
    with pytest.raises(ValueError, match=r"state\.safetensors is damaged .*: delete it"):
        train(config(), tmp_path)
    assert state.read_bytes() == good[: len(good) // 2]
    state.write_bytes(good)
    train(config(), tmp_path)


def test_a_checkpoint_of_another_world_is_refused(tmp_path: Path) -> None:
    one = interrupted(config(), tmp_path / "one") / "checkpoint" / "state.safetensors"
    work = RunConfig("Work", make_world("Work").dials(), SMALL["ppo"], total_timesteps=2048)
    other = interrupted(work, tmp_path / "other") / "checkpoint" / "state.safetensors"
    before = one.read_bytes()
    other.write_bytes(before)
    with pytest.raises(ValueError, match=f"is of the run {config().id}, expected {work.id}"):
        train(work, tmp_path / "other")
    assert one.read_bytes() == before == other.read_bytes()


def test_a_checkpoint_holds_no_pickle(tmp_path: Path) -> None:
    state = interrupted(config("dqn"), tmp_path) / "checkpoint" / "state.safetensors"
    arrays = load_file(state)
    assert {name.split("/")[0] for name in arrays} == {
        *("policy", "optimizer", "last", "env", "generator", "buffer")
    }
    assert all(array.dtype != object for array in arrays.values())


def test_a_full_disk_leaves_the_good_checkpoint(tmp_path: Path) -> None:
    """The process may write no file beyond what the checkpoint takes: as a full disk would."""
    folder = interrupted(config(), tmp_path / "run")
    state = folder / "checkpoint" / "state.safetensors"
    good = state.read_bytes()
    limit = len(good) - 1000

    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    told = subprocess.run(
        [
            *(sys.executable, "-m", "myopia.cli.main", "train", "Investment", "--algo"),
            *(SMALL["ppo"], "--total-timesteps", "2048", "--out", str(folder)),
            *("index=noisy:width=1", "--checkpoint-seconds", "0"),
        ],
        capture_output=True,
        text=True,
        preexec_fn=small_disk,
    )
    assert told.returncode == 2
    assert told.stderr.count("\n") == 1, told.stderr
    assert state.read_bytes() == good
    train(config(), folder)


def test_nan_stops_the_run_with_its_cause(tmp_path: Path) -> None:
    asked = config("ppo:num_envs=8,n_steps=16,batch_size=32,learning_rate=1e30,max_grad_norm=1e30")
    with pytest.raises(ValueError, match=r"training diverged by step \d+: .* no longer finite"):
        train(asked, tmp_path)
    record = read_json(tmp_path / "run.json")
    assert record["status"] == "failed"
    assert "DivergedError: training diverged by step" in record["cause"]
    assert not (tmp_path / "weights.safetensors").exists()


def test_a_weight_that_is_not_finite_is_not_kept(tmp_path: Path) -> None:
    """Poisoned between two rollouts, the run stops before the next one."""
    import torch

    class Poison(BaseCallback):
        def _on_step(self) -> bool:
            return True

        def _on_rollout_end(self) -> None:
            with torch.no_grad():
                next(self.model.policy.parameters())[0, 0] = torch.nan

    with pytest.raises(ValueError, match="no longer finite"):
        train(config("dqn"), tmp_path, checkpoint_seconds=0, callbacks=[Poison()])
    kept = tmp_path / "checkpoint" / "state.safetensors"
    assert np.isfinite(load_file(kept)["policy/q_net.q_net.0.weight"]).all()


def test_the_numbers_of_tensorboard_and_of_the_lifetimes(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(config(total_timesteps=4096), tmp_path)
    events = EventAccumulator(str(tmp_path / "tensorboard" / "train_1"))
    events.Reload()
    tags = set(events.Tags()["scalars"])
    assert {"train/loss", "rollout/ep_rew_mean", "epoch/stop_epoch", "epoch/reward_00"} <= tags
    lifetimes = pl.read_parquet(tmp_path / "episodes.parquet")
    first = events.Scalars("epoch/stop_epoch")[0]
    seen = lifetimes.filter(pl.col("timesteps") <= first.step)
    assert first.value == pytest.approx(seen["stop_epoch"].mean())
    survival = [events.Scalars(f"epoch/survival_{k:02d}")[0].value for k in range(12)]
    assert survival == pytest.approx([(seen["stop_epoch"] > k).mean() for k in range(12)])


def test_another_run_is_not_taken_for_this_one(tmp_path: Path) -> None:
    state = interrupted(config(), tmp_path) / "checkpoint" / "state.safetensors"
    forged(state, lambda facts, _: facts.update(run="x"))
    with pytest.raises(ValueError, match="is of the run x"):
        train(config(), tmp_path)
