"""Envs travel: pickled, to spawned processes, and in Gymnasium's AsyncVectorEnv."""

import multiprocessing
import pickle
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

from myopia.envs.env import EpochEnv
from myopia.envs.vector import EpochVectorEnv

ID = "myopia.envs:myopia/Offers-v0"


def play(env: gym.Env, steps: int = 20) -> list:
    seen = [env.reset(seed=4)[0].tolist()]
    for number in range(steps):
        observation, reward, terminated, _, _ = env.step(number % 2)
        seen.append((observation.tolist(), reward))
        if terminated:
            env.reset()
    return seen


def make_and_play() -> list:
    return play(gym.make(ID))


@pytest.mark.parametrize("face", [EpochEnv, EpochVectorEnv])
def test_pickle_in_the_middle_of_a_lifetime(face: type) -> None:
    env = face("Offers", index="noisy:width=1")
    env.reset(seed=0)
    action = 1 if face is EpochEnv else np.array([1])
    env.step(action)
    copy = pickle.loads(pickle.dumps(env))
    for one, other in zip(env.step(action)[:3], copy.step(action)[:3], strict=True):
        np.testing.assert_array_equal(one, other)


def test_spawned_process_plays_the_same() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(make_and_play) == make_and_play()


def test_async_vector_env_equals_the_native_batch() -> None:
    workers = gym.vector.AsyncVectorEnv(
        [lambda: gym.make(ID) for _ in range(2)],
        context="spawn",
        autoreset_mode=gym.vector.AutoresetMode.SAME_STEP,
    )
    native = gym.make_vec(ID, num_envs=2, vectorization_mode="vector_entry_point")
    try:
        np.testing.assert_array_equal(workers.reset(seed=9)[0], native.reset(seed=9)[0])
        for number in range(30):
            actions = np.array([number % 2, 2 * (number % 5 == 4)])
            one, other = workers.step(actions), native.step(actions)
            for a, b in zip(one[:4], other[:4], strict=True):
                np.testing.assert_array_equal(a, b)
    finally:
        workers.close()


def test_importing_the_worlds_never_imports_torch() -> None:
    code = (
        "import sys, gymnasium as gym, myopia.envs;"
        "env = gym.make('myopia/Orchard-v0'); env.reset(); env.step(0);"
        "gym.make_vec('myopia/Work-v0', 3, vectorization_mode='vector_entry_point').reset();"
        "assert 'torch' not in sys.modules and 'PIL' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
