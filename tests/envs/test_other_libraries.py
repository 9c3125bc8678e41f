"""TorchRL and skrl play our envs, single and batched, where they are installed."""

import gymnasium as gym
import pytest
import torch

from myopia.envs.env import EpochEnv
from myopia.envs.vector import EpochVectorEnv

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_torchrl_plays_a_single_env_by_its_id() -> None:
    """It tries keywords of its own, and again without those that the env does not know."""
    libraries = pytest.importorskip("torchrl.envs.libs.gym")
    rollout = libraries.GymEnv("myopia/Work-v0", shutdown="absent").rollout(5)
    assert rollout["next", "reward"].shape == (5, 1)


@pytest.mark.parametrize("mode", ["DISABLED", "SAME_STEP"])
def test_torchrl_plays_a_batch(mode: str) -> None:
    """In the two modes that it takes; nested entries of an info it does not read."""
    libraries = pytest.importorskip("torchrl.envs.libs.gym")
    batch = EpochVectorEnv("Work", 3, autoreset_mode=mode, episode_info=mode == "DISABLED")
    rollout = libraries.GymWrapper(batch).rollout(60, break_when_any_done=False)
    assert rollout["next", "reward"].shape == (3, 60, 1)
    assert rollout["next", "done"].sum() > 3


@pytest.mark.parametrize("mode", [None, "NEXT_STEP", "SAME_STEP"])
def test_skrl_plays_an_env_and_a_batch(mode: str | None) -> None:
    wrappers = pytest.importorskip("skrl.envs.wrappers.torch")
    env: gym.Env | EpochVectorEnv = (
        EpochEnv("Work") if mode is None else EpochVectorEnv("Work", 3, autoreset_mode=mode)
    )
    wrapped = wrappers.wrap_env(env, verbose=False)
    wrapped.reset()
    ended = 0
    for _ in range(100):
        _, _, terminated, _, _ = wrapped.step(torch.randint(0, 2, (wrapped.num_envs, 1)))
        ended += int(terminated.sum())
        if mode is None and terminated.any():
            wrapped.reset()
    assert ended > 1
