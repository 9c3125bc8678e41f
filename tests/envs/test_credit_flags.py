"""What the learner is told at an epoch boundary, in each credit mode, asserted from its side."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv

from myopia.envs import make_sb3
from myopia.envs.credit_flags import with_credit

MODES = ["lifetime", "bootstrap", "epoch"]
T, K = 4, 12


def dummy(credit: str):
    makers = [
        lambda: gym.make("myopia.envs:myopia/Investment-v0", episode_info=True) for _ in range(3)
    ]
    return with_credit(DummyVecEnv(makers), credit)


FACES = {"native": lambda credit: make_sb3("Investment", 3, credit=credit, seed=0), "dummy": dummy}


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("credit", MODES)
def test_flags_and_final_observations(face: str, credit: str) -> None:
    env = FACES[face](credit)
    env.reset()
    work = np.zeros(3, dtype=np.int64)
    for step in range(1, T * K + 1):
        observation, _, done, infos = env.step(work)
        boundary, end = step % T == 0, step == T * K
        assert done.tolist() == [end or (boundary and credit != "lifetime")] * 3
        for row, info in zip(observation, infos, strict=True):
            assert bool(info.get("epoch_end")) == boundary
            assert ("episode" in info) == end
            if boundary and not end and credit != "lifetime":
                # the world goes on: the final observation is the next epoch's first
                np.testing.assert_array_equal(info["terminal_observation"], row)
                assert row[2] == 1
                assert row[6 + step // T] == 1
                assert info["TimeLimit.truncated"] is (credit == "bootstrap")
            elif end:
                assert info["TimeLimit.truncated"] is False
                assert info["terminal_observation"][6:].sum() == 0
                assert row[6] == 1
            else:
                assert "terminal_observation" not in info


@pytest.mark.parametrize("credit", MODES)
def test_statistics_are_of_lifetimes(credit: str) -> None:
    env = make_sb3("Investment", 2, credit=credit, seed=0)
    model = PPO("MlpPolicy", env, n_steps=8, batch_size=16, device="cpu", seed=0)
    rewards, lengths = evaluate_policy(
        _Always(0, model), env, n_eval_episodes=4, return_episode_rewards=True
    )
    assert lengths == [T * K] * 4
    np.testing.assert_allclose(rewards, [10 - 0.5 * T * 8] * 4)
    model.learn(T * K * 2 * 3)
    assert all(one["l"] <= T * K for one in model.ep_info_buffer)


class _Always:
    def __init__(self, action: int, model: PPO) -> None:
        self.action, self.policy = action, model.policy

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        return np.full(len(observation), self.action), state


@pytest.mark.parametrize("credit", MODES)
def test_ppo_bootstraps_where_it_should(credit: str) -> None:
    """SB3's own buffer: the boundary's reward carries the value of the next epoch, or does not."""
    env = make_sb3("Work", 2, credit=credit, seed=0, shutdown="never")
    model = PPO("MlpPolicy", env, n_steps=2 * T, batch_size=16, n_epochs=1, gamma=0.9, seed=0)
    with torch.no_grad():
        model.policy.value_net.bias.fill_(3.0)
    values = {}
    step = env.step

    def spy(actions):
        observation, reward, done, infos = step(actions)
        with torch.no_grad():
            values[len(values)] = (
                reward.copy(),
                model.policy.predict_values(torch.as_tensor(observation)).flatten().numpy(),
            )
        return observation, reward, done, infos

    env.step = spy
    model.learn(2 * 2 * T)
    buffer = model.rollout_buffer
    starts = buffer.episode_starts
    for number in range(2 * T):
        earned, following = values[number]
        boundary = (number + 1) % T == 0
        expected = earned + (0.9 * following if boundary and credit == "bootstrap" else 0)
        np.testing.assert_allclose(buffer.rewards[number], expected, rtol=1e-5)
        if number:
            told = number % T == 0 and credit != "lifetime"
            assert starts[number].tolist() == [float(told)] * 2


def test_dqn_keeps_the_value_of_the_next_epoch_unless_told_otherwise() -> None:
    for credit, expected in (("bootstrap", 0), ("epoch", 1), ("lifetime", 0)):
        env = make_sb3("Work", 1, credit=credit, seed=0, shutdown="never")
        model = DQN("MlpPolicy", env, learning_starts=100, buffer_size=50, seed=0)
        model.learn(T)
        sample = model.replay_buffer._get_samples(np.array([T - 1]))
        assert sample.dones.item() == expected


def test_masks_reach_sb3_contrib() -> None:
    from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported

    env = make_sb3("Work", 3, credit="epoch", seed=0, shutdown="boundary")
    env.reset()
    assert is_masking_supported(env)
    assert get_action_masks(env).tolist() == [[True, True, True]] * 3
    env.step(np.zeros(3, dtype=np.int64))
    assert get_action_masks(env).tolist() == [[True, True, False]] * 3
    with pytest.raises(AttributeError, match="action_masks"):
        env.env_method("other")
    env = make_sb3("Work", 3, credit="epoch", seed=0, shutdown="absent")
    for _ in range(2):  # before the reset, and after it
        assert get_action_masks(env).tolist() == [[True, True]] * 3
        env.reset()
