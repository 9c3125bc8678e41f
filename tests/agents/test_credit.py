"""Credit in the rollout buffer: equal to SB3 on marked envs, and to a slow sum by hand."""

import runpy
from pathlib import Path

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
from myopia.agents.fast_ppo.ppo import FastPPO
from myopia.agents.runs.run import RunConfig
from myopia.envs import make_sb3
from myopia.envs.credit.credit import Credit
from myopia.envs.credit_flags import with_credit

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


@given(st.integers(0, 10_000), st.integers(1, 12), st.floats(0, 1))
def test_what_lies_beyond_boundaries_is_discounted_for_each_of_them(seed, steps, across) -> None:
    """At gae_lambda 1 the advantage is the sum of rewards, D for each boundary between."""
    rewards, values, last, ends, boundaries = rollouts(seed, steps)
    got = Credit.of(f"discount:{across!r}").advantages(
        rewards, values, last, ends, boundaries, 0.9, 1.0
    )
    for env in range(3):
        for t in range(steps):
            total, crossed = 0.0, 0
            for s in range(t, steps):
                total += 0.9 ** (s - t) * across**crossed * rewards[s, env]
                crossed += int(boundaries[s, env])
                if ends[s, env]:
                    break
            else:
                total += 0.9 ** (steps - t) * across**crossed * last[env]
            assert got[t, env] == pytest.approx(total - values[t, env])


@given(st.integers(0, 10_000), st.integers(1, 12), st.floats(0, 1), st.floats(0, 1))
def test_the_ends_of_the_discount_are_epoch_and_lifetime(seed, steps, gamma, gae_lambda) -> None:
    arrays = rollouts(seed, steps)
    for text, same in (("discount:0", "epoch"), ("discount:1", "lifetime")):
        one, other = (
            Credit.of(mode).advantages(*arrays, gamma, gae_lambda) for mode in (text, same)
        )
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("text", "same"), [("discount:0", "epoch"), ("discount:1", "lifetime")])
@pytest.mark.parametrize("algorithm", [CreditedPPO, CreditedRecurrentPPO, FastPPO])
def test_training_at_the_ends_of_the_discount_is_theirs(algorithm, text: str, same: str) -> None:
    policy = "MlpLstmPolicy" if algorithm is CreditedRecurrentPPO else "MlpPolicy"
    weights = []
    for credit in (text, same):
        env = make_sb3("Offers", 4, seed=0)
        model = algorithm(policy, env, credit=credit, seed=1, gamma=0.9, device="cpu", **PPO)
        model.learn(3 * 64)
        weights.append(torch.cat([one.flatten() for one in model.policy.state_dict().values()]))
    assert torch.equal(*weights)


def test_training_with_a_discount_is_neither() -> None:
    weights = []
    for credit in ("epoch", "discount:0.5", "lifetime"):
        env = make_sb3("Offers", 4, seed=0)
        model = FastPPO("MlpPolicy", env, credit=credit, seed=1, device="cpu", **PPO).learn(64)
        weights.append(torch.cat([one.flatten() for one in model.policy.state_dict().values()]))
    assert not any(torch.equal(weights[1], other) for other in weights[::2])


@pytest.mark.parametrize("algo", ["dqn", "qrdqn"])
def test_q_learners_refuse_what_no_flag_can_tell(algo: str) -> None:
    for credit in ("discount:0.5", "window:3"):
        with pytest.raises(ValueError, match="needs an on-policy algorithm such as ppo"):
            RunConfig.of("Work", algo=algo, credit=credit)
    for credit in ("discount:0", "discount:1", "epoch"):
        assert RunConfig.of("Work", algo=algo, credit=credit).credit == credit


@pytest.mark.parametrize("text", ["discount", "discount:", "discount:1.5", "discount:-0.1"])
def test_discounts_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected discount:D with D from 0 to 1"):
        Credit.of(text)


@pytest.mark.parametrize("text", ["discount:nan", "discount:x", "discount:1,2", "discount:0.5:1"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="expected discount:D with D from 0 to 1"):
        Credit.of(text)


@pytest.mark.slow
@pytest.mark.parametrize("across", [0.25, 0.5, 0.75])
def test_ppo_defers_what_the_discount_makes_worth_deferring(across: float) -> None:
    """One seed of `benchmarks/boundary_discount.py`, whose function this is."""
    path = Path(__file__).parents[2] / "benchmarks" / "boundary_discount.py"
    found = runpy.run_path(str(path))["deferred"](across, 0, 3_000_000, "ppo")
    assert found == pytest.approx(across, abs=0.05 + 1e-9)


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
    for credit in ("window:3", "discount:0.5"):
        with pytest.raises(ValueError, match="applied by an on-policy learner"):
            make_sb3("Work", 2, credit=credit)
        with pytest.raises(ValueError, match="applied by an on-policy learner"):
            with_credit(make_sb3("Work", 2), credit)
