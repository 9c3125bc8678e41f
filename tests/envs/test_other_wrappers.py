"""Every wrapper that Gymnasium and SB3 export works around our envs, or is said not to apply.

A wrapper that a later version adds is missing from a table here and fails the first test.
"""

import inspect

import gymnasium as gym
import gymnasium.wrappers as single
import gymnasium.wrappers.vector as vector
import numpy as np
import pytest
import stable_baselines3.common.vec_env as sb3
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode

from myopia.envs import EpochWrapper, make_sb3
from myopia.envs.env import EpochEnv
from myopia.envs.vector import EpochVectorEnv

NOT_APPLICABLE = {
    "AtariPreprocessing": "needs an Atari game",
    "CloudpickleWrapper": "wraps functions, not envs",
    "StackedObservations": "a part of VecFrameStack",
    "DummyVecEnv": "no wrapper",
    "SubprocVecEnv": "no wrapper",
    "VecEnv": "what the others are",
    "VecEnvWrapper": "what the others are",
    "TypeVar": "no wrapper",
}
MOVIES = {"RecordVideo", "VecVideoRecorder"}
NEEDS = {
    "HumanRendering": ("pygame", "cv2"),
    "ResizeObservation": ("cv2",),
    **dict.fromkeys(MOVIES, ("moviepy",)),
}


def work(**settings) -> EpochEnv:
    return EpochEnv("Work", max_epochs=3, schedule="constant", **settings)


def pictures() -> gym.Env:
    return single.AddRenderObservation(work(render_mode="rgb_array"), render_only=True)


def pendulum() -> gym.Env:
    return EpochWrapper(gym.make("Pendulum-v1"), max_epochs=2, epoch_length=8, schedule="constant")


SINGLE = {
    "AddRenderObservation": lambda folder: pictures(),
    "AddWhiteNoise": lambda folder: single.AddWhiteNoise(pictures(), 0.5),
    "Autoreset": lambda folder: single.Autoreset(work()),
    "ClipAction": lambda folder: single.ClipAction(pendulum()),
    "ClipReward": lambda folder: single.ClipReward(work(), -1, 1),
    "DelayObservation": lambda folder: single.DelayObservation(work(), 2),
    "DiscretizeAction": lambda folder: single.DiscretizeAction(pendulum(), 3),
    "DiscretizeObservation": lambda folder: single.DiscretizeObservation(
        EpochEnv("Work", max_epochs=2, epoch_length=1, schedule="constant"), 2
    ),
    "DtypeObservation": lambda folder: single.DtypeObservation(work(), np.float64),
    "FilterObservation": lambda folder: single.FilterObservation(
        EpochWrapper(gym.make("FrozenLake-v1")), ["epoch_index"]
    ),
    "FlattenObservation": lambda folder: single.FlattenObservation(work()),
    "FrameStackObservation": lambda folder: single.FrameStackObservation(work(), 3),
    "GrayscaleObservation": lambda folder: single.GrayscaleObservation(pictures()),
    "HumanRendering": lambda folder: single.HumanRendering(work(render_mode="rgb_array")),
    "MaxAndSkipObservation": lambda folder: single.MaxAndSkipObservation(work(), 2),
    "NormalizeObservation": lambda folder: single.NormalizeObservation(work()),
    "NormalizeReward": lambda folder: single.NormalizeReward(work()),
    "ObstructView": lambda folder: single.ObstructView(pictures(), 0.2, 5),
    "OrderEnforcing": lambda folder: single.OrderEnforcing(work()),
    "PassiveEnvChecker": lambda folder: single.PassiveEnvChecker(work()),
    "RecordEpisodeStatistics": lambda folder: single.RecordEpisodeStatistics(work()),
    "RecordVideo": lambda folder: single.RecordVideo(work(render_mode="rgb_array"), str(folder)),
    "RenderCollection": lambda folder: single.RenderCollection(work(render_mode="rgb_array")),
    "RepeatAction": lambda folder: single.RepeatAction(work(), 2),
    "RescaleAction": lambda folder: single.RescaleAction(pendulum(), np.float32(-2), np.float32(2)),
    "RescaleObservation": lambda folder: single.RescaleObservation(
        work(), np.float32(0), np.float32(1)
    ),
    "ReshapeObservation": lambda folder: single.ReshapeObservation(
        work(), (*work().observation_space.shape, 1)
    ),
    "ResizeObservation": lambda folder: single.ResizeObservation(pictures(), (42, 42)),
    "StickyAction": lambda folder: single.StickyAction(work(), 0.3),
    "TimeAwareObservation": lambda folder: single.TimeAwareObservation(single.TimeLimit(work(), 5)),
    "TimeLimit": lambda folder: single.TimeLimit(work(), 5),
    "TransformAction": lambda folder: single.TransformAction(
        work(), lambda action: action, work().action_space
    ),
    "TransformObservation": lambda folder: single.TransformObservation(
        work(), lambda seen: seen / 2, None
    ),
    "TransformReward": lambda folder: single.TransformReward(work(), lambda reward: -reward),
}


def batch(**settings) -> EpochVectorEnv:
    return EpochVectorEnv("Work", 3, max_epochs=3, schedule="constant", **settings)


def next_step(**settings) -> EpochVectorEnv:
    return batch(autoreset_mode="NEXT_STEP", **settings)


class TwoSpaces(gym.vector.VectorObservationWrapper):
    """The batch with pictures for observations, as the image wrappers want them."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(next_step())
        self.shape = shape
        self.single_observation_space = Box(0, 255, shape, np.uint8)
        self.observation_space = Box(0, 255, (self.num_envs, *shape), np.uint8)

    def observations(self, observations):
        return np.zeros((self.num_envs, *self.shape), np.uint8)


class AsDict(gym.vector.VectorObservationWrapper):
    def __init__(self) -> None:
        super().__init__(next_step())
        self.single_observation_space = gym.spaces.Dict(
            {"all": self.env.single_observation_space, "none": Discrete(2)}
        )
        self.observation_space = gym.vector.utils.batch_space(
            self.single_observation_space, self.num_envs
        )

    def observations(self, observations):
        return {"all": observations, "none": np.zeros(self.num_envs, int)}


def pendulums() -> gym.vector.VectorEnv:
    return gym.vector.SyncVectorEnv([pendulum] * 3)


VECTOR = {
    "ClipAction": lambda folder: vector.ClipAction(pendulums()),
    "ClipReward": lambda folder: vector.ClipReward(batch(), -1, 1),
    "DictInfoToList": lambda folder: vector.DictInfoToList(batch(episode_info=False)),
    "DtypeObservation": lambda folder: vector.DtypeObservation(next_step(), np.float64),
    "FilterObservation": lambda folder: vector.FilterObservation(AsDict(), ["all"]),
    "FlattenObservation": lambda folder: vector.FlattenObservation(next_step()),
    "GrayscaleObservation": lambda folder: vector.GrayscaleObservation(TwoSpaces((8, 8, 3))),
    "HumanRendering": lambda folder: vector.HumanRendering(batch(render_mode="rgb_array")),
    "NormalizeObservation": lambda folder: vector.NormalizeObservation(next_step()),
    "NormalizeReward": lambda folder: vector.NormalizeReward(batch()),
    "RecordEpisodeStatistics": lambda folder: vector.RecordEpisodeStatistics(
        batch(episode_info=False)
    ),
    "RecordVideo": lambda folder: vector.RecordVideo(
        next_step(render_mode="rgb_array"), str(folder)
    ),
    "RescaleAction": lambda folder: vector.RescaleAction(
        pendulums(), np.float32(-2), np.float32(2)
    ),
    "RescaleObservation": lambda folder: vector.RescaleObservation(
        next_step(), np.float32(0), np.float32(1)
    ),
    "ReshapeObservation": lambda folder: vector.ReshapeObservation(
        next_step(), (*next_step().single_observation_space.shape, 1)
    ),
    "ResizeObservation": lambda folder: vector.ResizeObservation(TwoSpaces((8, 8, 3)), (4, 4)),
    "TransformAction": lambda folder: vector.TransformAction(batch(), lambda action: action),
    "TransformObservation": lambda folder: vector.TransformObservation(
        next_step(), lambda seen: seen / 2
    ),
    "TransformReward": lambda folder: vector.TransformReward(batch(), lambda reward: -reward),
    "VectorizeTransformAction": lambda folder: vector.VectorizeTransformAction(
        pendulums(), single.ClipAction
    ),
    "VectorizeTransformObservation": lambda folder: vector.VectorizeTransformObservation(
        next_step(), single.FlattenObservation
    ),
    "VectorizeTransformReward": lambda folder: vector.VectorizeTransformReward(
        batch(), single.ClipReward, min_reward=-1, max_reward=1
    ),
}


class SB3Pictures(sb3.VecEnvWrapper):
    def __init__(self, as_dict: bool = False) -> None:
        venv = make_sb3("Work", 3, seed=0)
        self.shape = (8, 8, 3)
        space = Box(0, 255, self.shape, np.uint8)
        self.as_dict = as_dict
        super().__init__(venv, gym.spaces.Dict({"picture": space}) if as_dict else space)

    def _seen(self):
        seen = np.zeros((self.num_envs, *self.shape), np.uint8)
        return {"picture": seen} if self.as_dict else seen

    def reset(self):
        self.venv.reset()
        return self._seen()

    def step_wait(self):
        _, *rest = self.venv.step_wait()
        for info in rest[-1]:
            if "terminal_observation" in info:
                one = np.zeros(self.shape, np.uint8)
                info["terminal_observation"] = {"picture": one} if self.as_dict else one
        return self._seen(), *rest


VEC_ENV = {
    "VecCheckNan": lambda folder: sb3.VecCheckNan(make_sb3("Work", 3), raise_exception=True),
    "VecExtractDictObs": lambda folder: sb3.VecExtractDictObs(SB3Pictures(True), "picture"),
    "VecFrameStack": lambda folder: sb3.VecFrameStack(make_sb3("Work", 3), 2),
    "VecMonitor": lambda folder: sb3.VecMonitor(make_sb3("Work", 3)),
    "VecNormalize": lambda folder: sb3.VecNormalize(make_sb3("Work", 3)),
    "VecTransposeImage": lambda folder: sb3.VecTransposeImage(SB3Pictures()),
    "VecVideoRecorder": lambda folder: sb3.VecVideoRecorder(
        make_sb3("Work", 3, render_mode="rgb_array"), str(folder), lambda step: step == 0, 5
    ),
}


def exported(module) -> set[str]:
    return {name for name in dir(module) if inspect.isclass(getattr(module, name))}


@pytest.mark.parametrize(
    ("module", "table"), [(single, SINGLE), (vector, VECTOR), (sb3, VEC_ENV)], ids=lambda x: ""
)
def test_none_is_missing(module, table) -> None:
    assert exported(module) - NOT_APPLICABLE.keys() == set(table)


def need(name: str, monkeypatch) -> None:
    """Skip where the libraries are missing that the wrapper itself needs."""
    for library in NEEDS.get(name, ()):
        pytest.importorskip(library)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SINGLE)
def test_single(name: str, tmp_path, monkeypatch) -> None:
    """Lifetimes are played through it, and what it shows lies in its space."""
    need(name, monkeypatch)
    env = SINGLE[name](tmp_path)
    env.action_space.seed(0)
    seen, info = env.reset(seed=0)
    lives = 0
    for _ in range(60):
        assert env.observation_space.contains(seen)
        assert "epoch" in info
        seen, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert np.isfinite(reward)
        if terminated or truncated:
            lives += 1
            assert (name == "RecordEpisodeStatistics") == ("episode" in info)
            if name != "Autoreset":
                seen, info = env.reset()
    env.close()
    assert lives > 1
    assert name not in MOVIES or any(tmp_path.glob("*.mp4"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", VECTOR)
def test_vector(name: str, tmp_path, monkeypatch) -> None:
    need(name, monkeypatch)
    env = VECTOR[name](tmp_path)
    assert isinstance(env.metadata["autoreset_mode"], AutoresetMode)
    env.action_space.seed(0)
    seen, _ = env.reset(seed=0)
    lives = 0
    for _ in range(60):
        assert env.observation_space.contains(seen)
        seen, reward, terminated, _, infos = env.step(env.action_space.sample())
        assert np.isfinite(reward).all()
        lives += int(terminated.sum())
        if terminated.any() and name == "RecordEpisodeStatistics":
            np.testing.assert_array_equal(infos["_episode"], terminated)
    env.close()
    assert lives > 3
    assert name not in MOVIES or any(tmp_path.glob("*.mp4"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", VEC_ENV)
def test_vec_env(name: str, tmp_path, monkeypatch) -> None:
    need(name, monkeypatch)
    env = VEC_ENV[name](tmp_path)
    env.seed(0)
    env.action_space.seed(0)
    env.reset()
    lives = 0
    for _ in range(60):
        actions = np.array([env.action_space.sample() for _ in range(env.num_envs)])
        seen, reward, done, infos = env.step(actions)
        assert np.isfinite(reward).all()
        rows = seen if isinstance(seen, np.ndarray) else seen["picture"]
        assert rows.shape[1:] == env.observation_space.shape
        for env_done, info in zip(done, infos, strict=True):
            assert ("episode" in info) == env_done
            lives += int(env_done)
    env.close()
    assert lives > 3
    assert name not in MOVIES or any(tmp_path.glob("*.mp4"))
