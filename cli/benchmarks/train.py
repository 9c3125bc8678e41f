"""How fast PPO learns, each comparison against Stable-Baselines3 in the same run."""

import dataclasses
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, NamedTuple

from typing_extensions import override

from myopia.cli.benchmarks.benchmark import Setting, benchmark
from myopia.cli.benchmarks.chain import Chain
from myopia.cli.benchmarks.timing import interleave, row
from myopia.cli.shared import one_thread
from myopia.envs import World

SEEDS, EPOCHS, HIDDEN = 16, 4, [64, 64]


class Sizes(NamedTuple):
    """How samples are collected and learned from."""

    envs: int
    steps: int
    minibatch: int

    def __str__(self) -> str:
        return f"{self.envs} envs x {self.steps} steps, minibatch {self.minibatch}"


LARGE = Sizes(1024, 64, 8192)
EQUAL = Sizes(256, 40, 2048)
DUMMY = Sizes(8, 256, 512)


@benchmark
def train(world: World, setting: Setting) -> Iterator[dict[str, Any]]:
    """How fast agents learn."""
    from myopia.agents.algorithms.presets import find_algorithm
    from myopia.agents.training.device import choose_device

    one_thread()
    choose_device(setting.device, find_algorithm("ppo", world.name)[0])
    every = (against_dummy, against_native, no_repetition, many_seeds)
    for compare in (*every, to_the_gate, to_the_gate_without_start):
        yield compare(world, setting.runs, setting.device)


def against_dummy(world: World, runs: int, device: str) -> dict[str, Any]:
    """Ours at its own sizes, SB3's PPO on 8 envs stepped one by one."""
    pairs = interleave(
        training(fast(world, LARGE, device), 12 * LARGE.envs * LARGE.steps),
        training(lambda: _sb3(_dummy(world), DUMMY), 4 * DUMMY.envs * DUMMY.steps),
        runs,
    )
    what = f"{world.name}, PPO: ours {LARGE}; SB3 {DUMMY}; {EPOCHS} epochs"
    return row(what, "SB3's PPO on DummyVecEnv", pairs, "at least 10x, aim above 133,000 steps/s")


def against_native(world: World, runs: int, device: str) -> dict[str, Any]:
    """Both on our native batch, with the preset's sizes."""
    what = f"{world.name}, PPO, both {EQUAL}, {EPOCHS} epochs"
    return row(what, "SB3's PPO on the native VecEnv", _equal(world, runs, device), "at least 1.5x")


def no_repetition(world: World, runs: int, device: str) -> dict[str, Any]:
    """A world in which few samples look alike: little is worked out once for many of them."""
    scattered = World.of(Scatter, schedule="constant", shutdown="never")
    model = fast(scattered, EQUAL, device)().learn(1)
    keys = model.engine.rollout.keys[:-1]
    share = len(keys.unique()) / keys.numel()
    what = f"a world where {share:.0%} of a rollout look different, PPO, both {EQUAL}"
    pairs = _equal(scattered, runs, device)
    return row(what, "SB3's PPO on the native VecEnv", pairs, "stated: the general case")


@dataclasses.dataclass(frozen=True)
class Scatter(Chain):
    """Every sequence of actions leads to another place."""

    states: int = 20_000
    max_epochs = 12
    epoch_length = 4

    @override
    def step(self, state, action):
        return [(1.0, (7 * state + 1 + self.actions.index(action)) % self.states, state % 3 / 2)]


def many_seeds(world: World, runs: int, device: str) -> dict[str, Any]:
    """Many seeds in one program, against two processes of SB3's PPO."""
    from myopia.agents.fast_ppo.parallel import learn_in_parallel

    def ours() -> float:
        models = [fast(world, EQUAL, device, seed)() for seed in range(SEEDS)]
        steps = 12 * EQUAL.envs * EQUAL.steps
        began = time.perf_counter()
        learn_in_parallel(models, steps)
        return SEEDS * steps / (time.perf_counter() - began)

    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:

        def theirs() -> float:
            return sum(pool.map(_one_of_two, [world] * 2))

        pairs = interleave(ours, theirs, runs)
    what = f"{world.name}, PPO, {SEEDS} seeds together on one core, both {EQUAL}"
    return row(what, "2 processes of SB3's PPO", pairs, "at least 1.5x, aim 2.5x, in aggregate")


def to_the_gate(world: World, runs: int, device: str) -> dict[str, Any]:
    """Seconds from the command to an agent that passes the learning gate, imports included."""
    return _gate(world, runs, device, "command", "Investment: at most 15 s, and no slower")


def to_the_gate_without_start(world: World, runs: int, device: str) -> dict[str, Any]:
    """The same without imports and building."""
    return _gate(world, runs, device, "training", "Orchard: at most two thirds")


def fast(world: World, sizes: Sizes, device: str, seed: int = 0) -> Callable[[], Any]:
    """Builds our PPO."""
    from myopia.agents.fast_ppo.ppo import FastPPO
    from myopia.envs import make_sb3

    return lambda: FastPPO(
        "MlpPolicy", make_sb3(world, sizes.envs, seed=seed), **_settings(sizes, seed), device=device
    )


def training(build: Callable[[], Any], steps: int) -> Callable[[], float]:
    """A function that trains a fresh model and returns steps per second."""

    def go() -> float:
        model = build()
        began = time.perf_counter()
        model.learn(steps)
        return model.num_timesteps / (time.perf_counter() - began)

    return go


def gate(world: World, side: str, device: str) -> dict[str, Any]:
    """Train the preset in this process, by `ours` or by SB3's own loop; how well, how fast."""
    from myopia.agents.algorithms.ppo import CreditedPPO
    from myopia.agents.algorithms.presets import find_algorithm
    from myopia.agents.policies.agent import Agent
    from myopia.analysis.evaluation.training_check import passes, score
    from myopia.envs.credit.credit import Credit

    settings, steps = find_algorithm("ppo", world.name)
    credit = Credit.of("lifetime")
    env = settings.env(world, credit, 0)
    if side == "theirs":
        object.__setattr__(settings, "model_for", lambda env: CreditedPPO)
    model = settings.build(env, credit, 0, device if side == "ours" else "cpu", None)
    began = time.perf_counter()
    model.learn(steps)
    seconds = time.perf_counter() - began
    found = score(world, Agent(model.policy, settings, world), "lifetime")
    return {"training": seconds, "share": found["share"], "passes": passes(found, "ppo")}


def _gate(world: World, runs: int, device: str, what: str, wanted: str) -> dict[str, Any]:
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    shares, passed = [], []
    for _ in range(min(runs, 3)):
        for side, seconds in times.items():
            began = time.perf_counter()
            script = (
                "import json, torch; torch.set_num_threads(1)\n"
                "from myopia.cli.benchmarks.train import gate\n"
                "from myopia.envs import make_world\n"
                f"world = make_world({world.name!r}, **{world.dials()!r})\n"
                f"print(json.dumps(gate(world, {side!r}, {device!r})))"
            )
            done = subprocess.run(
                [sys.executable, "-c", script], check=True, capture_output=True, text=True
            )
            found = json.loads(done.stdout.splitlines()[-1])
            seconds.append(found["training"] if what == "training" else time.perf_counter() - began)
            if side == "ours":
                shares.append(found["share"])
                passed.append(found["passes"])
    ours, peer = (statistics.median(seconds) for seconds in times.values())
    start = "imports and all" if what == "command" else "imports and building apart"
    return {
        "what": f"{world.name}, the preset trained, {start}: ours has {min(shares):.3f} of the "
        f"optimum and passes the learning gate in {sum(passed)} of {len(passed)} runs",
        "ours": f"{ours:.1f} s",
        "peer_name": "SB3's PPO on the native VecEnv",
        "peer": f"{peer:.1f} s",
        "ratio": round(ours / peer, 2),
        "wanted": wanted,
    }


def _equal(world: World, runs: int, device: str) -> list[tuple[float, float]]:
    from myopia.envs import make_sb3

    return interleave(
        training(fast(world, EQUAL, device), 20 * EQUAL.envs * EQUAL.steps),
        training(lambda: _sb3(make_sb3(world, EQUAL.envs, seed=0), EQUAL), 41_000),
        runs,
    )


def _settings(sizes: Sizes, seed: int) -> dict[str, Any]:
    return {
        "n_steps": sizes.steps,
        "batch_size": sizes.minibatch,
        "n_epochs": EPOCHS,
        "policy_kwargs": {"net_arch": {"pi": HIDDEN, "vf": HIDDEN}},
        "learning_rate": 2e-3,
        "gamma": 1.0,
        "ent_coef": 0.01,
        "seed": seed,
    }


def _sb3(env: Any, sizes: Sizes) -> Any:
    from stable_baselines3 import PPO

    return PPO("MlpPolicy", env, **_settings(sizes, 0), device="cpu")


def _dummy(world: World) -> Any:
    from stable_baselines3.common.vec_env import DummyVecEnv

    from myopia.envs.env import EpochEnv

    return DummyVecEnv([lambda: EpochEnv(world)] * DUMMY.envs)


def _one_of_two(world: World) -> float:
    import torch

    from myopia.envs import make_sb3

    torch.set_num_threads(1)
    return training(lambda: _sb3(make_sb3(world, EQUAL.envs, seed=0), EQUAL), 82_000)()
