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
    settings = {"max_epochs": 3, "schedule": "linear:cutoff=2,upkeep=0.5", "episode_info": True}
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
            assert observation[0] == (3 if terminated else 0)  # what ends is not reset
    assert seen == [1, 1, 1, 0.5, 0.5, 0.5, -0.5, -0.5, -0.5]
    assert observation.tolist() == [3, 0, 0, 0]
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


class Rooms(gym.Env):
    """Episodes of four steps, of whatever is to be tried: spaces, rewards, infos, masks."""

    def __init__(self, space=None, actions=2, reward=1.0, info=None, mask=False) -> None:
        self.observation_space = space or gym.spaces.Box(0, 9, (1,), np.float32)
        self.action_space = gym.spaces.Discrete(actions)
        self.reward, self.info, self.mask = reward, {} if info is None else info, mask
        self.resets, self.taken = 0, []

    def _told(self):
        if not self.mask:
            return self.info
        mask = np.zeros(2, dtype=np.int8)
        mask[(self.resets + self.t) % 2] = 1
        return {"action_mask": mask, "resets": self.resets, "t": self.t}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        self.resets, self.t = self.resets + 1, 0
        return self.observation_space.sample(), self._told()

    def step(self, action):
        self.t += 1
        self.taken.append(action)
        seen = self.observation_space.sample()
        return seen, self.reward, np.bool_(self.t == 4), np.bool_(False), self._told()


def test_nothing_is_reset_where_the_lifetime_ends() -> None:
    """The terminal observation is the inner one's; resets are one a boundary, and the first."""
    inner = Rooms()
    env = EpochWrapper(inner, max_epochs=3, schedule="constant")
    env.reset(seed=0)
    for _ in range(12):
        last = env.step(1)
    assert last[2]
    assert inner.resets == 3
    assert last[0][0] == env._inner[0]
    env.reset()
    env.step(2)  # shutdown
    assert inner.resets == 4


def test_info_at_a_boundary_is_that_of_the_reset() -> None:
    """So a mask in it is that of the state that is shown; the last step's is kept beside it."""
    env = EpochWrapper(Rooms(mask=True), max_epochs=3, schedule="constant")
    _, info = env.reset(seed=0)
    for step in range(1, 13):
        assert info["action_mask"].tolist() == [*env.env._told()["action_mask"], 1]
        assert info["action_mask"].dtype == np.int8
        assert env.action_masks().tolist() == [bool(x) for x in info["action_mask"]]
        _, _, ended, _, info = env.step(0)
        assert info["t"] == (step % 4 if step < 12 else 4)
        assert ("inner_final_info" in info) == (step in (4, 8))
        if step in (4, 8):
            assert info["inner_final_info"]["t"] == 4
            assert env.observation_space.shape == (1 + 3,)
            assert info["inner_final_obs"].shape == (1,)
    assert ended
    absent = EpochWrapper(Rooms(mask=True), shutdown="absent")
    assert len(absent.reset(seed=0)[1]["action_mask"]) == 2
    boundary = EpochWrapper(Rooms(mask=True), shutdown="boundary", epoch_length=4)
    boundary.reset(seed=0)
    assert boundary.step(0)[4]["action_mask"][2] == 0
    assert boundary.step(2)[4]["action_mask"][2] == 0  # idle, and still told


def test_taxi_masks_belong_to_the_state_that_is_shown() -> None:
    env = EpochWrapper(
        gym.make("Taxi-v4"), max_epochs=3, epoch_length=9, channel="severed", schedule="constant"
    )
    env.reset(seed=0)
    for _ in range(26):
        *_, info = env.step(0)
        state = env.unwrapped.s
        np.testing.assert_array_equal(info["action_mask"][:6], env.unwrapped.action_mask(state))


def test_infos_hold_plain_values() -> None:
    env = EpochWrapper(Rooms(), max_epochs=2, schedule="constant")
    env.reset(seed=0)
    for action in (0, 0, 0, 0, 1, 2):
        _, reward, terminated, truncated, info = env.step(action)
        assert type(terminated) is type(truncated) is type(info["epoch_end"]) is bool
        assert type(reward) is float
    assert terminated


@pytest.mark.parametrize("reward", [np.nan, np.inf, -np.inf, None, "much", [1, 2]])
def test_rewards_that_are_no_numbers_are_told(reward) -> None:
    env = EpochWrapper(Rooms(reward=reward))
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"must be a finite number, got .* in epoch 0, step 0"):
        env.step(0)


@pytest.mark.parametrize("info", ["None", [], 3])
def test_infos_that_are_no_dicts_are_told(info) -> None:
    inner = Rooms()
    env = EpochWrapper(inner)
    env.reset(seed=0)
    inner.info = None if info == "None" else info
    with pytest.raises(
        ValueError, match=r"step\(\) of the inner env .* must return a dict as info"
    ):
        env.step(0)
    with pytest.raises(ValueError, match=r"reset\(\) of the inner env .* must return a dict"):
        env.reset()


@pytest.mark.parametrize(
    "action", [1, np.int64(1), np.array(1), np.uint8(1), np.array(1, np.int32)]
)
def test_an_action_of_any_integer_kind_reaches_the_inner_env_as_one(action) -> None:
    inner = Rooms()
    env = EpochWrapper(inner)
    env.reset(seed=0)
    env.step(action)
    assert inner.taken == [1]
    assert type(inner.taken[0]) is int
    assert env.step(np.array(2))[2]


def test_where_every_reward_is_negative_it_is_said_once() -> None:
    env = EpochWrapper(Rooms(reward=-1.0), max_epochs=2, schedule="constant")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(3):
            env.reset(seed=0)
            for _ in range(8):
                env.step(0)
    assert len(told) == 1
    assert "shutting down at once earns most" in str(told[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for dials in (
            {"shutdown": "absent"},
            {"shutdown": "never", "epoch_length": 4},
            {"shutdown_reward": -9.0},
        ):
            env = EpochWrapper(Rooms(reward=-1.0), max_epochs=2, schedule="constant", **dials)
            env.reset(seed=0)
            for _ in range(8):
                env.step(0)
        env = EpochWrapper(Rooms(reward=0.0), max_epochs=2, schedule="constant")
        env.reset(seed=0)
        env.step(2)


def _space(name: str) -> gym.Space:
    spaces = gym.spaces
    box = spaces.Box(0, 1, (2,), np.float32)
    return {
        "bytes": spaces.Box(0, 255, (5,), np.uint8),
        "picture": spaces.Box(0, 255, (40, 40, 3), np.uint8),
        "double": spaces.Box(-1, 1, (3,), np.float64),
        "matrix": spaces.Box(0, 1, (2, 2), np.float32),
        "dict": spaces.Dict(a=box, b=spaces.Discrete(3)),
        "bits": spaces.MultiBinary(3),
        "choices": spaces.MultiDiscrete([2, 3]),
        "nested": spaces.Dict(a=spaces.Dict(c=spaces.Discrete(2))),
        "tuple": spaces.Tuple((spaces.Discrete(3), box)),
        "from 2": spaces.Discrete(3, start=2),
        "scalar": spaces.Box(0, 1, (), np.float32),
        "text": spaces.Text(5),
        "text in a dict": spaces.Dict(a=spaces.Text(5), b=spaces.Discrete(2)),
        "list": spaces.Sequence(spaces.Discrete(2)),
    }[name]


SB3_TAKES = ("bytes", "picture", "double", "matrix", "dict", "bits", "choices")
FLATTENED = ("nested", "tuple", "from 2", "scalar")


def _learn(env: gym.Env) -> None:
    seen = isinstance(env.observation_space, gym.spaces.Dict)
    PPO(
        "MultiInputPolicy" if seen else "MlpPolicy", env, n_steps=8, batch_size=8, n_epochs=1
    ).learn(8)


@pytest.mark.parametrize("name", [*SB3_TAKES, *FLATTENED, "text", "text in a dict", "list"])
def test_any_observation_works_and_what_sb3_needs_is_said(name: str) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        env = EpochWrapper(Rooms(_space(name)))
    check_env(env, skip_render_check=True)
    if name in SB3_TAKES:
        assert not told
        _learn(env)
        return
    assert len(told) == 1
    assert "where SB3 is to learn" in str(told[0].message)
    inner: gym.Env = Rooms(_space(name))
    if name in FLATTENED:
        assert "FlattenObservation" in str(told[0].message)
        inner = gym.wrappers.FlattenObservation(inner)
    elif name == "text in a dict":
        assert "FilterObservation" in str(told[0].message)
        inner = gym.wrappers.FilterObservation(inner, ["b"])
    else:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = EpochWrapper(inner)
    _learn(env)
