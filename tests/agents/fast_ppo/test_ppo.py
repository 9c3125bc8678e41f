"""FastPPO as a Stable-Baselines3 model: saved and loaded, resumed, called back, logged."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback, EvalCallback
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import DummyVecEnv

from myopia.agents.fast_ppo.ppo import FastPPO
from myopia.agents.fast_ppo.rollout_callback import RolloutCallback
from myopia.envs import make_sb3
from myopia.envs.env import EpochEnv

ROLLOUT = 8 * 16


def model(world: str = "Investment", seed: int = 0, dials: Any = None, **settings) -> FastPPO:
    given = {"n_steps": 16, "batch_size": 32, "n_epochs": 2, "gamma": 1.0, "device": "cpu"}
    env = make_sb3(world, 8, seed=seed, **(dials or {}))
    return FastPPO("MlpPolicy", env, seed=seed, **{**given, **settings})


def weights(of: PPO) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in of.policy.parameters()])


class Everything:
    """Notes what SB3 shows a callback."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[int] = []
        self.episodes: list[tuple[float, int]] = []

    def _on_rollout_end(self) -> None:
        self.steps.append(self.num_timesteps)
        self.episodes = [(e["r"], e["l"]) for e in self.model.ep_info_buffer]


class AtEachStep(Everything, BaseCallback):
    """SB3's way."""

    def _on_step(self) -> bool:
        return True


class AtEachRollout(Everything, RolloutCallback):
    """Ours."""


CALLBACKS = [AtEachStep, AtEachRollout]


@pytest.mark.parametrize("world", ["Investment", "Offers"])
def test_callbacks_see_the_same_training_step_by_step(world: str) -> None:
    seen = {}
    for kind in CALLBACKS:
        callback = kind()
        trained = model(world).learn(3 * ROLLOUT, callback=callback)
        seen[kind] = callback, weights(trained), trained._last_obs
    slow, fast = (seen[kind] for kind in CALLBACKS)
    assert fast[0].steps == slow[0].steps == [ROLLOUT * (i + 1) for i in range(3)]
    assert fast[0].n_calls == slow[0].n_calls == 48
    assert [e[1] for e in fast[0].episodes] == [e[1] for e in slow[0].episodes]
    np.testing.assert_allclose(
        [e[0] for e in fast[0].episodes], [e[0] for e in slow[0].episodes], atol=1e-12
    )
    assert torch.equal(fast[1], slow[1])
    np.testing.assert_array_equal(fast[2], slow[2])


def test_sb3s_own_callbacks_are_served_at_every_step(tmp_path: Path) -> None:
    judge = EvalCallback(make_sb3("Investment", 1, seed=9), eval_freq=4, log_path=str(tmp_path))
    with_it = model().learn(2 * ROLLOUT, callback=judge)
    assert len(judge.evaluations_timesteps) == 8
    assert torch.equal(weights(with_it), weights(model().learn(2 * ROLLOUT)))


def test_a_callback_ends_the_training_at_a_step() -> None:
    class Enough(AtEachStep):
        def _on_step(self) -> bool:
            return self.num_timesteps < ROLLOUT + 24

    trained = model().learn(10 * ROLLOUT, callback=Enough())
    assert trained.num_timesteps == ROLLOUT + 24
    assert trained._n_updates == 2


def test_a_callback_ends_the_training_after_a_rollout() -> None:
    class Enough(AtEachRollout):
        def _on_rollout(self, trace) -> bool:
            assert trace.ended.shape == (16, 8)
            return self.num_timesteps < 2 * ROLLOUT

    trained = model().learn(10 * ROLLOUT, callback=[AtEachRollout(), Enough()])
    assert trained.num_timesteps == 2 * ROLLOUT
    assert trained._n_updates == 2


def test_learning_goes_on_where_it_stopped() -> None:
    whole = model().learn(4 * ROLLOUT)
    parts = model().learn(2 * ROLLOUT).learn(2 * ROLLOUT, reset_num_timesteps=False)
    assert torch.equal(weights(whole), weights(parts))


@pytest.mark.parametrize("credit", ["lifetime", "window:5"])
def test_a_saved_model_goes_on_bit_for_bit(credit: str, tmp_path: Path) -> None:
    whole = model("Offers", credit=credit).learn(4 * ROLLOUT)
    first = model("Offers", credit=credit).learn(2 * ROLLOUT)
    first.save(tmp_path / "model")
    env = make_sb3("Offers", 8, seed=0)
    second = FastPPO.load(tmp_path / "model", env=env, device="cpu", force_reset=False)
    env.reset()
    env.batch.resume(first.env.batch.state())
    second.pending_steps = first.pending_steps
    second.learn(2 * ROLLOUT, reset_num_timesteps=False)
    assert torch.equal(weights(whole), weights(second))


def test_the_zip_opens_and_learns_on_without_this_project(tmp_path: Path) -> None:
    trained = model(learning_rate=LinearSchedule(1e-3, 0.0, 1.0), ent_coef=0.1).learn(2 * ROLLOUT)
    trained.save(tmp_path / "model.zip")
    observation = np.eye(18, dtype=np.float32)
    np.save(tmp_path / "predicted.npy", trained.predict(observation, deterministic=True)[0])
    script = """
import sys
import gymnasium as gym
import numpy as np
from stable_baselines3 import PPO

class Stub(gym.Env):
    def __init__(self, model):
        self.observation_space, self.action_space = model.observation_space, model.action_space
    def reset(self, *, seed=None, options=None):
        return self.observation_space.low, {}
    def step(self, action):
        return self.observation_space.low, float(action), False, False, {}

model = PPO.load("model.zip", device="cpu")
predicted = model.predict(np.eye(18, dtype=np.float32), deterministic=True)[0]
assert (predicted == np.load("predicted.npy")).all()
model = PPO.load("model.zip", env=Stub(model), device="cpu")
assert model.ent_coef == 0.1
assert all(len(state) == 3 for state in model.policy.optimizer.state.values())
model.learn(16, reset_num_timesteps=False)
assert not any(name.split(".")[0] == "myopia" for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, timeout=120)


def test_the_zip_is_as_small_as_sb3s(tmp_path: Path) -> None:
    """Weights are views of common tensors; what is saved is not."""
    ours, theirs = tmp_path / "ours.zip", tmp_path / "theirs.zip"
    model().learn(ROLLOUT).save(ours)
    env = make_sb3("Investment", 8, seed=0)
    PPO("MlpPolicy", env, n_steps=16, batch_size=32, device="cpu").learn(ROLLOUT).save(theirs)
    assert ours.stat().st_size < 1.05 * theirs.stat().st_size


def test_sb3s_model_learns_on_here(tmp_path: Path) -> None:
    env = make_sb3("Investment", 8, seed=0)
    theirs = PPO("MlpPolicy", env, n_steps=16, batch_size=32, device="cpu", seed=1).learn(ROLLOUT)
    theirs.save(tmp_path / "model")
    ours = FastPPO.load(tmp_path / "model", env=env, device="cpu")
    assert torch.equal(weights(ours), weights(theirs))
    steps = [int(state["step"]) for state in ours.policy.optimizer.state.values()]
    ours.learn(ROLLOUT, reset_num_timesteps=False)
    assert ours.num_timesteps == 2 * ROLLOUT
    after = [int(state["step"]) for state in ours.policy.optimizer.state.values()]
    assert [b - a for a, b in zip(steps, after, strict=True)] == [40] * len(steps)


def test_the_same_scalars_as_sb3(tmp_path: Path) -> None:
    tags = []
    env = make_sb3("Investment", 8, seed=0)
    settings: dict[str, Any] = {"n_steps": 16, "batch_size": 32, "device": "cpu"}
    for kind in (FastPPO, PPO):
        logs = tmp_path / kind.__name__
        trained = kind("MlpPolicy", env, tensorboard_log=str(logs), **settings)
        trained.learn(2 * ROLLOUT, log_interval=1)
        assert list(logs.glob("PPO_1/events*"))
        tags.append(set(trained.logger.name_to_value))
    assert tags[0] == tags[1]


def test_only_native_batches_and_plain_policies() -> None:
    settings: dict[str, Any] = {"n_steps": 16, "batch_size": 32, "device": "cpu"}
    with pytest.raises(ValueError, match="expected the env that make_sb3 returns, got DummyVecEnv"):
        FastPPO("MlpPolicy", DummyVecEnv([lambda: EpochEnv("Work")]), **settings)
    relu = model(policy_kwargs={"activation_fn": torch.nn.ReLU})
    with pytest.raises(ValueError, match=r"trains MlpPolicy with tanh layers.*ReLU"):
        relu.learn(ROLLOUT)


def test_training_leaves_numpys_and_torchs_generators_alone() -> None:
    fresh = model()
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    fresh.learn(2 * ROLLOUT)
    assert torch.equal(before[0], torch.random.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize(("world", "few_rows"), [("Work", True), ("Orchard", False)])
def test_actions_are_drawn_from_the_policy(world: str, few_rows: bool) -> None:
    """The edges between the draws are the policy's own cumulated probabilities."""
    trained = model(world).learn(ROLLOUT)
    engine = trained.engine
    assert (engine.collector._every is not None) == few_rows
    keys = engine.rollout.keys[3]
    seen = engine.group.simulator.observers[0].observations(keys)
    with torch.inference_mode():
        probabilities = trained.policy.get_distribution(seen).distribution.probs
    edges = probabilities.cumsum(1)
    # just below an edge falls the action before it, just above it the next
    with torch.inference_mode():
        choose = engine.collector.chooser()
        for action in range(edges.shape[1] - 1):
            wide = probabilities[:, action] > 1e-4
            below = choose(keys, edges[:, action] - 2e-6)
            above = choose(keys, edges[:, action] + 2e-6)
            assert (below[wide] == action).all()
            assert (above[wide & (probabilities[:, action + 1] > 1e-4)] == action + 1).all()
