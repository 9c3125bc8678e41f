"""How fast worlds step, start and are enumerated, each against a peer in the same run."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from myopia.cli.benchmarks.benchmark import Setting, benchmark
from myopia.cli.benchmarks.chain import Chain
from myopia.cli.benchmarks.timing import interleave, row
from myopia.envs import World

BATCH, SB3_ENVS = 4096, 256


@benchmark
def envs(world: World, setting: Setting) -> Iterator[dict[str, Any]]:
    """How fast worlds step."""
    if setting.device != "cpu":
        raise ValueError(f"bench envs times numpy on a CPU, expected no --device {setting.device}")
    for compare in (batch, single, sb3, imports, tables):
        yield compare(world, setting.runs)


def batch(world: World, runs: int) -> dict[str, Any]:
    """The native VectorEnv against Gymnasium's own vectorised CartPole, random actions."""
    import gymnasium as gym

    from myopia.envs.vector import EpochVectorEnv

    ours = EpochVectorEnv(world, BATCH)
    peer = gym.make_vec("CartPole-v1", BATCH, vectorization_mode="vector_entry_point")
    for env in (ours, peer):
        env.reset(seed=0)
    sides = (
        _stepping(ours, len(world.actions), BATCH, 300),
        _stepping(peer, 2, BATCH, 300),
    )
    return row(
        f"{world.name}, VectorEnv, {BATCH} envs, observations and final observations written",
        "CartPole VectorEnv",
        interleave(sides[0], sides[1], runs),
        "at least 3x, aim 5x",
    )


def single(world: World, runs: int) -> dict[str, Any]:
    """One env, unwrapped, against Gymnasium's CartPole, unwrapped."""
    import gymnasium as gym

    from myopia.envs.env import EpochEnv

    ours, peer = EpochEnv(world), gym.make("CartPole-v1").unwrapped
    sides = (
        _single_stepping(ours, len(world.actions), 30_000),
        _single_stepping(peer, 2, 30_000),
    )
    return row(
        f"{world.name}, single env, unwrapped",
        "CartPole, unwrapped",
        interleave(sides[0], sides[1], runs),
        "at least 150,000 steps/s",
    )


def sb3(world: World, runs: int) -> dict[str, Any]:
    """The native SB3 VecEnv against SB3's DummyVecEnv of the same env."""
    from stable_baselines3.common.vec_env import DummyVecEnv

    from myopia.envs.env import EpochEnv
    from myopia.envs.sb3 import make_sb3

    peer = DummyVecEnv([lambda: EpochEnv(world)] * SB3_ENVS)
    ours = make_sb3(world, SB3_ENVS, seed=0)
    for env in (ours, peer):
        env.reset()
    actions = len(world.actions)
    return row(
        f"{world.name}, SB3 VecEnv, {SB3_ENVS} envs",
        "DummyVecEnv of the same env",
        interleave(
            _stepping(ours, actions, SB3_ENVS, 300), _stepping(peer, actions, SB3_ENVS, 30), runs
        ),
        "at least 5x",
    )


def imports(world: World, runs: int) -> dict[str, Any]:
    """Seconds to import the worlds, beyond Gymnasium's own import."""
    times = {"myopia.envs": [], "gymnasium": []}
    for _ in range(runs):
        for module, seconds in times.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
            seconds.append(time.perf_counter() - began)
    ours, peer = (statistics.median(seconds) for seconds in times.values())
    return {
        "what": f"import myopia.envs: {ours - peer:.3f} s beyond gymnasium's own",
        "ours": f"{ours:.3f} s",
        "peer_name": "import gymnasium",
        "peer": f"{peer:.3f} s",
        "ratio": round(ours / peer, 2),
        "wanted": "under 0.5 s beyond",
    }


def tables(world: World, runs: int) -> dict[str, Any]:
    """Seconds to enumerate a task of a million states, once, against its bare step calls."""
    from myopia.envs.tables import enumerate_task

    task, times, states = Chain(), {"ours": [], "peer": []}, 0
    for _ in range(min(runs, 1)):
        enumerate_task.cache_clear()
        began = time.perf_counter()
        states = enumerate_task(task).num_states
        times["ours"].append(time.perf_counter() - began)
        began = time.perf_counter()
        for state in range(states):
            for action in task.actions:
                task.step(state, action)
        times["peer"].append(time.perf_counter() - began)
    ours, peer = (statistics.median(seconds) for seconds in times.values())
    return {
        "what": f"tables of a task with {states:,} states and {len(task.actions)} actions",
        "ours": f"{ours:.2f} s",
        "peer_name": "calling its step alone",
        "peer": f"{peer:.2f} s",
        "ratio": round(ours / peer, 2),
        "wanted": "under 15 s",
    }


def _stepping(env: Any, actions: int, envs: int, steps: int) -> Callable[[], float]:
    """A function that steps a batch with random actions and returns steps per second."""
    chosen = np.random.default_rng(0).integers(0, actions, (64, envs))

    def go() -> float:
        began = time.perf_counter()
        for number in range(steps):
            env.step(chosen[number % 64])
        return steps * envs / (time.perf_counter() - began)

    return go


def _single_stepping(env: Any, actions: int, steps: int) -> Callable[[], float]:
    chosen = np.random.default_rng(0).integers(0, actions, steps).tolist()

    def go() -> float:
        env.reset(seed=0)
        began = time.perf_counter()
        for action in chosen:
            if env.step(action)[2]:
                env.reset()
        return steps / (time.perf_counter() - began)

    return go
