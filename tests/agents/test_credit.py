"""Credit in the rollout buffer: equal to SB3 on marked envs, and to a slow sum by hand."""

import numpy as np
import pytest
import stable_baselines3
import torch
from hypothesis import given
from hypothesis import strategies as st

from myopia.agents.algorithms.a2c import CreditedA2C
from myopia.agents.algorithms.maskableppo import CreditedMaskablePPO
from myopia.agents.algorithms.ppo import CreditedPPO
from myopia.agents.algorithms.recurrentppo import CreditedRecurrentPPO
from myopia.envs import make_sb3
from myopia.envs.credit.credit import Credit

PPO = {"n_steps": 16, "batch_size": 32, "n_epochs": 2}
PAIRS = [
    (CreditedPPO, stable_baselines3.PPO, PPO),
    (CreditedA2C, stable_baselines3.A2C, {"n_steps": 8}),
]


@pytest.mark.parametrize("credit", ["lifetime", "bootstrap", "epoch"])
@pytest.mark.parametrize(("ours", "theirs", "settings"), PAIRS)
def test_equal_to_sb3_on_an_env_with_marked_boundaries(ours, theirs, settings, credit) -> None:
    models = []
    for algorithm, marked in ((ours, "lifetime"), (theirs, credit)):
        env = make_sb3("Investment", 4, credit=marked, seed=0)
        extra = {"credit": credit} if algorithm is ours else {}
        model = algorithm("MlpPolicy", env, gamma=0.9, seed=1, device="cpu", **settings, **extra)
        models.append(model.learn(4 * 64))
    one, other = (model.rollout_buffer for model in models)
    np.testing.assert_allclose(one.advantages, other.advantages, atol=1e-5)
    np.testing.assert_allclose(one.returns, other.returns, atol=1e-5)
    for a, b in zip(*(model.policy.parameters() for model in models), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def rollouts(draw_seed: int, steps: int, envs: int = 3):
    generator = np.random.default_rng(draw_seed)
    rewards, values = generator.normal(size=(2, steps, envs))
    ends = (generator.random((steps, envs)) < 0.2).astype(float)
    boundaries = np.maximum(ends, generator.random((steps, envs)) < 0.3)
    return rewards, values, generator.normal(size=envs), ends, boundaries


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 12), st.floats(0, 1))
def test_a_window_is_the_sum_of_its_rewards(seed, steps, window, gamma) -> None:
    rewards, values, last, ends, boundaries = rollouts(seed, max(steps, window))
    credit = Credit.of(f"window:{window}")
    got = credit.advantages(rewards, values, last, ends, boundaries, gamma, 0.9)
    assert got.shape == (max(steps, window) - window + 1, 3)
    for t in range(len(got)):
        for env in range(3):
            total = 0.0
            for ahead in range(window):
                total += gamma**ahead * rewards[t + ahead, env]
                if ends[t + ahead, env]:
                    break
            assert got[t, env] == pytest.approx(total - values[t, env])


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_with_a_full_trace_credit_is_a_plain_sum(seed, steps) -> None:
    """At gae_lambda 1 the advantage is the credited return minus the value."""
    rewards, values, last, ends, boundaries = rollouts(seed, steps)
    for kind in ("lifetime", "bootstrap", "epoch"):
        got = Credit.of(kind).advantages(rewards, values, last, ends, boundaries, 0.9, 1.0)
        for env in range(3):
            for t in range(steps):
                total, discount = 0.0, 1.0
                for s in range(t, steps):
                    total += discount * rewards[s, env]
                    discount *= 0.9
                    following = last[env] if s == steps - 1 else values[s + 1, env]
                    if ends[s, env] or (kind == "epoch" and boundaries[s, env]):
                        break
                    if s == steps - 1 or (kind == "bootstrap" and boundaries[s, env]):
                        total += discount * following
                        break
                assert got[t, env] == pytest.approx(total - values[t, env])


def test_torch_and_numpy_agree() -> None:
    arrays = rollouts(0, 9)
    for credit in ("lifetime", "bootstrap", "epoch", "window:4", "discount:0.3"):
        mode = Credit.of(credit)
        one = mode.advantages(*arrays, 0.9, 0.95)
        other = mode.advantages(*map(torch.from_numpy, arrays), 0.9, 0.95)
        np.testing.assert_allclose(one, other.numpy())


def test_a_window_loses_no_step_and_credits_each_once() -> None:
    """Over three rollouts every step but the last M - 1 is learned from, with its own rewards."""
    seen, env = [], make_sb3("Work", 2, seed=0, shutdown="never")
    model = CreditedPPO("MlpPolicy", env, credit="window:5", gamma=1.0, device="cpu", seed=0, **PPO)
    taken = []

    class Watch(stable_baselines3.common.callbacks.BaseCallback):
        def _on_step(self) -> bool:
            taken.append(self.locals["rewards"].copy())
            return True

        def _on_rollout_end(self) -> None:
            seen.append(model.rollout_buffer.rewards.copy())
            np.testing.assert_allclose(
                model.rollout_buffer.returns,
                np.stack([sum(taken[t : t + 5]) for t in range(first, len(taken) - 4)]),
                atol=1e-5,
            )

        def _on_rollout_start(self) -> None:
            nonlocal first
            first = sum(map(len, seen))

    first = 0
    # 48 steps are one lifetime of Work here: no end falls into a window
    model.learn(2 * 48, callback=Watch())
    np.testing.assert_allclose(np.concatenate(seen), np.stack(taken)[:-4])


@pytest.mark.parametrize("credit", ["lifetime", "bootstrap", "epoch", "window:6"])
def test_memory_goes_on_across_boundaries(credit: str) -> None:
    env = make_sb3("Investment", 4, seed=0, shutdown="never")
    settings = {"n_steps": 48, "batch_size": 96, "n_epochs": 1, "seed": 0, "device": "cpu"}
    model = CreditedRecurrentPPO("MlpLstmPolicy", env, credit=credit, **settings)
    model.learn(4 * 48)
    memories = model.rollout_buffer.hidden_states_pi.reshape(4, -1, 256)
    assert (np.abs(memories[:, 1:]).sum(axis=2) > 0).all()
    assert model.rollout_buffer.episode_starts.reshape(4, -1)[:, 1:].sum() == 0


def test_masks_wait_with_their_steps() -> None:
    env = make_sb3("Investment", 4, seed=0, shutdown="boundary")
    model = CreditedMaskablePPO("MlpPolicy", env, credit="window:6", seed=0, device="cpu", **PPO)
    model.learn(4 * 32)
    masks = model.pending_steps["action_masks"]
    steps = model.pending_steps["observations"][:, :, 2:6].argmax(axis=2)
    assert len(masks) == 5
    np.testing.assert_array_equal(masks[:, :, -1], steps == 0)


@pytest.mark.parametrize("text", ["window", "window:0", "window:-1", "window:x"])
def test_windows_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected window:M with M at least 1"):
        Credit.of(text)


def test_bad_credit() -> None:
    with pytest.raises(ValueError, match="did you mean 'epoch'"):
        Credit.of("epok")
    with pytest.raises(ValueError, match="needs rollouts of at least 17 steps"):
        CreditedPPO("MlpPolicy", make_sb3("Work", 2), credit="window:17", **PPO)
    with pytest.raises(ValueError, match="applied by an on-policy learner"):
        make_sb3("Work", 2, credit="window:3")
