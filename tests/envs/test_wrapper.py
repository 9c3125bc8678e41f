"""Epochs around any Gymnasium env."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from myopia.envs import EpochWrapper
from myopia.envs.credit_flags import with_credit


class Corridor(gym.Env):
    """Walk right for 1 a step; the inner episode ends after `length` steps."""

    observation_space = gym.spaces.Box(0, 100, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, length: int = 3) -> None:
        self.length = length

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = 0
        return np.array([0], np.float32), {}

    def step(self, action):
        self.place += 1
        return (
            np.array([self.place], np.float32),
            float(action),
            self.place == self.length,
            False,
            {},
        )


def wrapped(**dials) -> EpochWrapper:
    settings = {"max_epochs": 3, "schedule": "linear:cutoff=2,upkeep=0.5"}
    return EpochWrapper(Corridor(), **{**settings, **dials})


def test_an_inner_episode_is_an_epoch() -> None:
    env = wrapped()
    observation, info = env.reset(seed=0)
    assert observation.tolist() == [0, 1, 0, 0]
    assert info["epoch"] == 0
    seen = []
    for number in range(9):
        observation, reward, terminated, truncated, info = env.step(1)
        seen.append(reward)
        assert info["epoch"] == number // 3
        assert info["epoch_end"] == (number % 3 == 2)
        assert terminated == (number == 8)
        assert not truncated
        if info["epoch_end"]:
            assert info["epoch_payoff"] == 3
            assert observation[0] == 0
    assert seen == [1, 1, 1, 0.5, 0.5, 0.5, -0.5, -0.5, -0.5]
    assert observation.tolist() == [0, 0, 0, 0]
    assert info["episode"] == {"r": 3.0, "l": 9}
    assert info["stop_epoch"] == 3
    with pytest.raises(gym.error.ResetNeeded):
        env.step(0)


def test_shutdown_is_one_more_action() -> None:
    env = wrapped(shutdown_reward=0.25)
    env.reset(seed=0)
    env.step(1)
    _, reward, terminated, _, info = env.step(2)
    assert (reward, terminated, info["stop_epoch"]) == (0.25, True, 0)
    assert info["episode"] == {"r": 1.25, "l": 2}


@pytest.mark.parametrize(("channel", "place"), [("open", 2), ("severed", 0)])
def test_steps_make_an_epoch_and_the_inner_state_carries_over(channel, place) -> None:
    env = wrapped(epoch_length=2, channel=channel, index="frozen:at=1", index_encoding="scalar")
    env.reset(seed=0)
    env.step(0)
    observation, _, _, _, info = env.step(0)
    assert info["epoch_end"]
    np.testing.assert_allclose(observation, [place, 1 / 3])


def test_a_shutdown_that_is_not_allowed_idles() -> None:
    env = wrapped(epoch_length=3, shutdown="boundary", schedule="step:cutoff=1,upkeep=0.5")
    env.reset(seed=0)
    assert env.action_masks().tolist() == [True, True, True]
    for _ in range(3):
        env.step(1)
    observation, reward, *_ = env.step(1)
    assert (observation[0], reward) == (1, -0.5)
    assert env.action_masks().tolist() == [True, True, False]
    observation, reward, terminated, _, info = env.step(2)
    assert (observation[0], reward, terminated) == (1, -0.5, False)
    assert info["shutdown_ignored"]
    _, _, _, _, info = env.step(1)
    assert info["epoch_end"]


def test_an_absent_shutdown_leaves_the_action_space_as_it_was() -> None:
    """The lifetimes are those in which it is not chosen."""
    env, other = wrapped(shutdown="absent"), wrapped()
    assert env.action_space == Corridor.action_space
    env.reset(seed=0)
    other.reset(seed=0)
    for action in (1, 0, 1, 1, 1, 0, 1, 0, 1):
        assert env.action_masks().tolist() == [True, True]
        one, two = env.step(action), other.step(action)
        np.testing.assert_array_equal(one[0], two[0])
        assert one[1:] == two[1:]
    assert one[2]
    assert one[4]["stop_epoch"] == 3
    env.reset()
    with pytest.raises(ValueError, match=r"action must be an integer in 0\.\.1, got 2"):
        env.step(2)


def test_any_action_space_will_do_where_shutdown_is_absent() -> None:
    class Buttons(Corridor):
        action_space = gym.spaces.MultiBinary(2)

        def step(self, action):
            return super().step(action.sum())

    env = EpochWrapper(Buttons(), shutdown="absent", schedule="constant")
    env.reset(seed=0)
    assert env.step(np.array([1, 1]))[1] == 2
    with pytest.raises(ValueError, match="a MultiBinary action space has no action masks"):
        env.action_masks()
    box = EpochWrapper(gym.make("Pendulum-v1"), shutdown="absent")
    box.reset(seed=0)
    assert not box.step(np.array([1.5], dtype=np.float32))[2]  # its last entry is no shutdown
    with pytest.raises(ValueError, match=r"finite, of shape \(1,\)"):
        box.step(np.array([0.0, 1.0], dtype=np.float32))


def test_inner_time_limits_stay_inner() -> None:
    env = EpochWrapper(gym.wrappers.TimeLimit(Corridor(50), 4), max_epochs=2, schedule="constant")
    env.reset(seed=0)
    flags = [env.step(1)[2:4] for _ in range(8)]
    assert flags == [(False, False)] * 7 + [(True, False)]


def test_noise_is_redrawn_and_seeded() -> None:
    def shown(seed):
        env = EpochWrapper(
            Corridor(99), max_epochs=3, epoch_length=30, schedule="constant", index="noisy:width=1"
        )
        seen = [env.reset(seed=seed)[0]] + [env.step(0)[0] for _ in range(29 + 30)]
        return np.stack(seen)[:, 1:].argmax(axis=1)

    assert (shown(1) == shown(1)).all()
    assert (shown(1) != shown(2)).any()
    assert set(shown(1)[:30]) == {0, 1}
    assert set(shown(1)[30:]) == {0, 1, 2}


@pytest.mark.parametrize(
    ("inner", "dials"),
    [
        ("CartPole-v1", {}),
        ("MountainCar-v0", {"epoch_length": 50}),
        ("MountainCar-v0", {"shutdown": "never"}),
        ("CartPole-v1", {"shutdown": "absent"}),
        ("Pendulum-v1", {"shutdown": "absent"}),
        ("Pendulum-v1", {}),
        (
            "Pendulum-v1",
            {"shutdown": "anytime", "index_encoding": "scalar", "index": "offset:by=9"},
        ),
        ("FrozenLake-v1", {"index": "hidden"}),
        ("MiniGrid-Empty-5x5-v0", {"index": "noisy:width=1"}),
    ],
)
def test_gymnasium_envs_pass_the_checker_and_sb3_learns_on_them(inner, dials) -> None:
    if inner.startswith("MiniGrid"):
        pytest.importorskip("minigrid")

    def make():
        return EpochWrapper(gym.make(inner, disable_env_checker=True), **dials)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # infinite bounds are the inner envs' own
        check_env(make(), skip_render_check=True)
    env = make()
    observation, _ = env.reset(seed=0)
    env.action_space.seed(0)
    epochs = 0
    for _ in range(3000):
        assert env.observation_space.contains(observation)
        observation, _, terminated, truncated, info = env.step(env.action_space.sample())
        epochs += info["epoch_end"]
        assert not truncated
        if terminated:
            observation, _ = env.reset()
    assert epochs > 1
    if inner.startswith("MiniGrid"):
        assert set(observation) == {"image", "direction", "mission", "epoch_index"}
        return  # SB3 takes no text
    policy = (
        "MultiInputPolicy" if isinstance(env.observation_space, gym.spaces.Dict) else "MlpPolicy"
    )
    PPO(policy, DummyVecEnv([make]), n_steps=16, batch_size=16, n_epochs=1).learn(32)


@pytest.mark.parametrize("credit", ["lifetime", "bootstrap", "epoch"])
def test_credit_modes(credit: str) -> None:
    env = with_credit(DummyVecEnv([lambda: Monitor(wrapped())]), credit)
    env.reset()
    dones = []
    for number in range(9):
        observation, _, done, infos = env.step(np.array([1]))
        dones.append(bool(done[0]))
        if number in (2, 5) and credit != "lifetime":
            assert infos[0]["TimeLimit.truncated"] is (credit == "bootstrap")
            np.testing.assert_array_equal(infos[0]["terminal_observation"], observation[0])
            assert observation[0][1 + (number + 1) // 3] == 1
        assert ("episode" in infos[0]) == (number == 8)
    assert infos[0]["episode"]["l"] == 9
    told = [(number % 3 == 2 and credit != "lifetime") or number == 8 for number in range(9)]
    assert dones == told


def test_evaluate_policy_counts_lifetimes() -> None:
    env = with_credit(DummyVecEnv([lambda: Monitor(wrapped(shutdown="anytime"))]), "epoch")
    model = PPO("MlpPolicy", env, n_steps=16, batch_size=16)

    class Right:
        policy = model.policy

        def predict(self, observation, state=None, episode_start=None, deterministic=True):
            return np.ones(len(observation), dtype=int), state

    rewards, lengths = evaluate_policy(Right(), env, 2, return_episode_rewards=True)
    assert (rewards, lengths) == ([3.0, 3.0], [9, 9])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: wrapped(shutdown="never"), "could idle for ever"),
        (lambda: wrapped(epoch_length=0), "epoch_length must be at least 1, got 0"),
        (lambda: wrapped(schedule="linear:cutoff=9"), "cutoff 9 lies beyond max_epochs=3"),
        (lambda: wrapped(epoch_length=2.5), "epoch_length: expected int, got 2.5"),
        (lambda: wrapped(shutdown_reward=float("nan")), "shutdown_reward must be finite"),
        (lambda: wrapped(index="exakt"), "did you mean 'exact'"),
        (lambda: wrapped(channel="shut"), "unknown channel 'shut'"),
        (lambda: EpochWrapper(wrapped(), shutdown="sometimes"), "unknown shutdown mode"),
    ],
)
def test_bad_input(make, sentence) -> None:
    with pytest.raises(ValueError) as caught:
        make()
    assert sentence in str(caught.value)


def test_bad_actions() -> None:
    env = wrapped()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"action must be an integer in 0\.\.2, got 3"):
        env.step(3)
    box = EpochWrapper(gym.make("Pendulum-v1"))
    box.reset(seed=0)
    with pytest.raises(ValueError, match="finite, of shape"):
        box.step(np.array([np.nan, 0.0]))
    with pytest.raises(ValueError, match="no action masks"):
        box.action_masks()
    with pytest.raises(ValueError, match="expected a Discrete or a one-dimensional float Box"):
        EpochWrapper(
            gym.wrappers.TransformAction(Corridor(), lambda a: a, gym.spaces.MultiBinary(2))
        )


def test_the_inner_envs_masks_are_kept() -> None:
    class Masked(Corridor):
        def action_masks(self):
            return np.array([True, False])

    env = EpochWrapper(Masked())
    env.reset(seed=0)
    assert env.action_masks().tolist() == [True, False, True]
    env = EpochWrapper(Masked(), shutdown="absent")
    env.reset(seed=0)
    assert env.action_masks().tolist() == [True, False]
    assert EpochWrapper(Corridor(), max_epochs="4").max_epochs == 4


def test_a_gaussian_policy_is_not_stopped_at_once() -> None:
    env = EpochWrapper(gym.make("Pendulum-v1"))
    env.reset(seed=0)
    env.step(np.array([0.0, -1.0], dtype=np.float32))
    _, _, terminated, _, info = env.step(np.array([0.0, 1.0], dtype=np.float32))
    assert not terminated
    assert info["shutdown_ignored"]
