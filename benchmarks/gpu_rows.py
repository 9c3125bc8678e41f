"""What `gpu_record.py` measures: rows, the important ones first."""

import collections
import contextlib
import dataclasses
import gc
import itertools
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import bench_s_curves
import bench_toy
import numpy as np
import torch
from stable_baselines3 import PPO
from torch.profiler import ProfilerActivity, profile, record_function

from myopia.agents.fast_ppo.engine import Engine
from myopia.agents.fast_ppo.parallel import learn_in_parallel
from myopia.agents.fast_ppo.ppo import FastPPO
from myopia.agents.fast_ppo.rollout_callback import RolloutCallback
from myopia.analysis.evaluation.evaluation import evaluate
from myopia.analysis.exact.policies import agent_policy
from myopia.cli.benchmarks.train import Scatter
from myopia.envs import World, make_sb3, make_world
from myopia.superposition.curves import descend

ROOT = Path(__file__).resolve().parent.parent
Found = dict[str, Any]
"""`value` and its `unit`; a `note`; and what else there is to say."""


class Row(NamedTuple):
    """One measurement: `side` is what is measured (ours, peer or cpu) of `what`."""

    what: str
    side: str
    measure: Callable[[float], Found]  # (seconds left) -> what was found

    @property
    def key(self) -> str:
        """Its name in the record."""
        return f"{self.what} | {self.side}"


class Sizes(NamedTuple):
    """A rollout, and in how many minibatches it is learned from."""

    envs: int
    steps: int
    minibatches: int = 8

    def __str__(self) -> str:
        return f"{self.envs:,} envs x {self.steps} steps"


class Place(NamedTuple):
    """Where it is measured, and whether tiny sizes stand in for the real ones."""

    device: str
    small: bool

    @property
    def seconds(self) -> float:
        """Each rate is timed for about so long."""
        return self.pick(1.0, 0.0)

    def pick(self, real: Any, tiny: Any) -> Any:
        """`tiny` where sizes are small."""
        return tiny if self.small else real


def rows(place: Place) -> Iterator[Row]:
    """Everything, the important rows first."""
    yield Row("tests marked cuda", "ours", cuda_tests)
    for envs in place.pick((256, 1024), (8,)):
        yield several(place, place.pick(16, 2), Sizes(envs, *place.pick((40, 5), (8, 4))))
    worlds = {"Investment": make_world("Investment")}
    ladder = place.pick(
        [Sizes(1024, 64), Sizes(4096, 48), Sizes(16_384, 48), Sizes(65_536, 48)], [Sizes(16, 8)]
    )
    for sizes in ladder:
        yield rate(place, worlds, "Investment", sizes, "ours")
    some = Sizes(*place.pick((256, 40, 5), (8, 8, 4)))
    for seeds in place.pick((1, 16), (2,)):
        yield waiting(place, seeds, some, {})
    yield waiting(place, 1, some, {"target_kl": 0.05})
    for envs in place.pick((1024,), ()):
        yield waiting(place, 16, Sizes(envs, 40, 5), {})
    worlds["the general case"] = World.of(Scatter, schedule="constant", shutdown="never")
    general = place.pick([Sizes(1024, 64), Sizes(16_384, 48)], [Sizes(16, 8)])
    for sizes in general:
        yield rate(place, worlds, "the general case", sizes, "ours")
    for envs in place.pick((4096,), ()):
        yield several(place, 16, Sizes(envs, 40, 5))
    for sizes in ladder[:2]:
        yield rate(place, worlds, "Investment", sizes, "peer")
        yield rate(place, worlds, "Investment", sizes, "cpu")
    for envs in place.pick((256, 1024), ()):
        yield several(place, 64, Sizes(envs, 40, 5))
    for sizes in place.pick([Sizes(262_144, 32)], []):
        yield rate(place, worlds, "Investment", sizes, "ours")
    for side in ("ours", "cpu", "peer"):
        yield toy(place, side)
    for side in ("ours", "cpu"):
        yield s_curves(place, side)
    for name in place.pick(("Investment", "Orchard"), ("Work",)):
        yield exact(make_world(name))
    for side in ("peer", "cpu"):
        yield rate(place, worlds, "the general case", general[0], side)
    for sizes in place.pick([Sizes(16_384, 48)], []):
        yield rate(place, worlds, "Investment", sizes, "cpu")


def rate(place: Place, worlds: dict[str, World], name: str, sizes: Sizes, side: str) -> Row:
    """Steps per second of PPO for one seed."""

    def measure(left: float) -> Found:
        device = "cpu" if side == "cpu" else place.device
        if side == "peer":
            found = peer_iteration(worlds[name], sizes, device, place.seconds)
        else:
            found = iteration(worlds[name], 1, sizes, device, place.seconds)
        value = sizes.envs * sizes.steps / found["seconds"]
        return {"value": value, "unit": "steps/s", **found}

    return Row(f"PPO, {name}, {sizes}", side, measure)


def several(place: Place, seeds: int, sizes: Sizes) -> Row:
    """How much longer an iteration of several seeds takes than that of one."""

    def measure(left: float) -> Found:
        world = make_world("Investment")
        one = iteration(world, 1, sizes, place.device, place.seconds)
        all_of_them = iteration(world, seeds, sizes, place.device, place.seconds)
        ratio = all_of_them["seconds"] / one["seconds"]
        total = seeds * sizes.envs * sizes.steps / all_of_them["seconds"]
        note = f"{_ms(all_of_them)} against {_ms(one)} an iteration, {total:,.0f} steps/s in all"
        found = {"value": ratio, "unit": "times as long", "note": note}
        return {**found, "seeds": all_of_them, "one": one, "steps_per_second": total}

    return Row(f"PPO, {seeds} seeds against one, {sizes}", "ours", measure)


def iteration(world: World, seeds: int, sizes: Sizes, device: str, seconds: float) -> Found:
    """Seconds of a rollout and the update from it, and the memory that they take at most."""
    with emptied(device) as peak:
        clock = Clock(seconds, warm=2 if device != "cpu" else 1)
        models = [fast(world, sizes, device, seed) for seed in range(seeds)]
        with contextlib.suppress(Enough):
            learn_in_parallel(models, 1 << 40, [clock, *[None] * (seeds - 1)])
        found: Found = {"seconds": clock.median()}
        if device != "cpu":
            bytes_each = peak() / (seeds * sizes.envs * sizes.steps)
            found |= {"bytes_per_step": bytes_each, "note": f"{bytes_each:,.0f} bytes a step"}
        del models
    return found


def peer_iteration(world: World, sizes: Sizes, device: str, seconds: float) -> Found:
    """The same of SB3's PPO on the native batch."""
    with emptied(device):
        clock = Clock(seconds, warm=1)
        env = make_sb3(world, sizes.envs, seed=0)
        model = PPO("MlpPolicy", env, device=device, **settings(sizes, 0))
        with contextlib.suppress(Enough):
            model.learn(1 << 40, callback=clock)
    return {"seconds": clock.median(), "note": "peer: SB3's PPO"}


def waiting(place: Place, seeds: int, sizes: Sizes, given: dict[str, Any]) -> Row:
    """How often the CPU waits within the functions that are graphs, and what is done in all."""

    def measure(left: float) -> Found:
        world = make_world("Investment")
        with emptied(place.device), marked():
            models = [fast(world, sizes, place.device, s, **given) for s in range(seeds)]
            watch = Watch(place.device)
            with contextlib.suppress(Enough):
                learn_in_parallel(models, 1 << 40, [watch, *[None] * (seeds - 1)])
            del models
        return watch.found()

    with_limit = ", target_kl" if given else ""
    plural = "s" if seeds > 1 else ""
    what = f"waits within rollouts and updates, {seeds} seed{plural}, {sizes}{with_limit}"
    return Row(what, "ours", measure)


def toy(place: Place, side: str) -> Row:
    """The sparsity sweep of `bench_toy.py`; its peer is a plain loop."""

    def measure(left: float) -> Found:
        device = "cpu" if side == "cpu" else place.device
        work = bench_toy.one_by_one if side == "peer" else bench_toy.together
        bench_toy.STEPS = 3
        work(device)
        bench_toy.STEPS = place.pick(1000, 3)
        note = {"note": "peer: a loop"} if side == "peer" else {}
        return {"value": work(device), "unit": "s", **note}

    return Row(f"toy models, {bench_toy.INSTANCES} instances", side, measure)


def s_curves(place: Place, side: str) -> Row:
    """One setting of the sweep of `bench_s_curves.py`."""
    steps = place.pick(bench_s_curves.PEER.steps, 3)

    def measure(left: float) -> Found:
        device = "cpu" if side == "cpu" else place.device
        for count in (3, steps):
            descent = dataclasses.replace(bench_s_curves.PEER, device=device, steps=count)
            began = time.perf_counter()
            descend(descent)
            synchronise(device)
            seconds = time.perf_counter() - began
        return {"value": seconds, "unit": "s"}

    return Row(f"S-curves, {bench_s_curves.PEER.seeds} seeds, {steps} steps", side, measure)


def exact(world: World) -> Row:
    """Exact evaluation, which is numpy's and knows no other device."""

    def measure(left: float) -> Found:
        actions = len(world.actions)
        policy = agent_policy(world, lambda seen: np.full((len(seen), actions), 1 / actions))
        seconds = []
        for _ in range(4):  # the first builds the oracles, which are kept
            began = time.perf_counter()
            evaluate(world, policy)
            seconds.append(time.perf_counter() - began)
        note = f"on numpy only; {seconds[0]:.2f} s the first time"
        return {"value": statistics.median(seconds[1:]), "unit": "s", "note": note}

    return Row(f"exact evaluation, {world.name}", "cpu", measure)


def cuda_tests(left: float) -> Found:
    """The tests that need a GPU, in a program of their own."""
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-m", "cuda", "-p", "no:cacheprovider"),
        *("-o", "addopts=", "--import-mode=importlib", "tests/agents/fast_ppo/test_cuda.py"),
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=min(left, 240)
    )
    last = (done.stdout.strip() or done.stderr.strip()).splitlines()[-1].strip("= ")
    if done.returncode:
        failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
        raise RuntimeError("; ".join([last, *failed]))
    passed = re.search(r"(\d+) passed", last)
    return {"value": int(passed[1]) if passed else 0, "unit": "passed", "note": last}


def fast(world: World, sizes: Sizes, device: str, seed: int, **given: Any) -> FastPPO:
    """Our PPO."""
    env = make_sb3(world, sizes.envs, seed=seed)
    return FastPPO("MlpPolicy", env, device=device, **settings(sizes, seed), **given)


def settings(sizes: Sizes, seed: int) -> dict[str, Any]:
    """What both sides are given."""
    return {
        "n_steps": sizes.steps,
        "batch_size": sizes.envs * sizes.steps // sizes.minibatches,
        "n_epochs": 4,
        "policy_kwargs": {"net_arch": {"pi": [64, 64], "vf": [64, 64]}},
        "learning_rate": 2e-3,
        "gamma": 1.0,
        "ent_coef": 0.01,
        "seed": seed,
    }


class Enough(Exception):  # noqa: N818 nothing went wrong
    """Ends a training that was long enough."""


class Clock(RolloutCallback):
    """Times whole iterations for `seconds`, but for the first `warm`; then ends the training."""

    LEAST, MOST = 3, 200

    def __init__(self, seconds: float, warm: int) -> None:
        super().__init__()
        self.seconds, self.warm, self._marks = seconds, warm, []

    def _on_rollout_start(self) -> None:
        self._marks.append(time.perf_counter())
        timed = self._marks[self.warm :]
        count = len(timed) - 1
        if count >= self.MOST or (count >= self.LEAST and timed[-1] - timed[0] >= self.seconds):
            raise Enough

    def median(self) -> float:
        """Seconds of an iteration."""
        timed = self._marks[self.warm :]
        return statistics.median(b - a for a, b in itertools.pairwise(timed))


WITHIN = "within a graph"


@contextlib.contextmanager
def marked() -> Iterator[None]:
    """Engines made here show the profiler when they roll out and learn."""
    honest = Engine.__init__

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            with record_function(WITHIN):
                return function(*arguments, **named)

        return call

    def init(self: Engine, *arguments: Any) -> None:
        honest(self, *arguments)
        self._roll, self._learn = mark(self._roll), mark(self._learn)

    Engine.__init__ = init  # type: ignore[method-assign]
    try:
        yield
    finally:
        Engine.__init__ = honest  # type: ignore[method-assign]


class Watch(RolloutCallback):
    """Profiles two iterations, when the graphs are captured, and ends the training."""

    BEFORE, ITERATIONS = 3, 2
    WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize", "cudaMemcpy")

    def __init__(self, device: str) -> None:
        super().__init__()
        gpu = [ProfilerActivity.CUDA] if device != "cpu" else []
        self.device, self._count = device, 0
        self._profiler = profile(activities=[ProfilerActivity.CPU, *gpu])

    def _on_rollout_start(self) -> None:
        if self._count == self.BEFORE:
            synchronise(self.device)
            self._profiler.start()
            self._began = time.perf_counter()
        if self._count == self.BEFORE + self.ITERATIONS:
            self._seconds = time.perf_counter() - self._began
            self._profiler.stop()
            raise Enough
        self._count += 1

    def found(self) -> Found:
        """What was counted."""
        events = list(self._profiler.events() or [])
        on_cpu = [event for event in events if event.device_type.name == "CPU"]
        on_gpu = [
            event
            for event in events
            if event.device_type.name != "CPU"
            and event.name != WITHIN
            and not getattr(event, "is_user_annotation", False)
        ]
        spans = [event.time_range for event in on_cpu if event.name == WITHIN]

        def within(event: Any) -> bool:
            start = event.time_range.start
            return any(span.start <= start <= span.end for span in spans)

        waits = [event.name for event in on_cpu if event.name in self.WAITS and within(event)]
        waits += [event.name for event in on_gpu if "DtoH" in event.name and within(event)]
        calls = [event.name for event in on_cpu if event.name.startswith("cuda")]
        calls += [event.name for event in on_gpu if event.name.startswith("Mem")]
        kernels: collections.Counter[str] = collections.Counter()
        for event in on_gpu:
            if not event.name.startswith("Mem"):
                kernels[event.name[:120]] += event.time_range.elapsed_us()
        each = {name: n / self.ITERATIONS for name, n in collections.Counter(calls).items()}
        kernel_ms = sum(kernels.values()) / 1e3 / self.ITERATIONS
        number = sum(not event.name.startswith("Mem") for event in on_gpu) // self.ITERATIONS
        synchronised = sum(each.get(name, 0) for name in self.WAITS)
        back = sum(count for name, count in each.items() if "DtoH" in name)
        return {
            "value": len(waits),
            "unit": "waits",
            "note": f"an iteration, profiled: {1e3 * self._seconds / self.ITERATIONS:.1f} ms, "
            f"{number:,} kernels of {kernel_ms:.1f} ms, {back:g} transfers back, "
            f"{synchronised:g} waits",
            "waits": dict(collections.Counter(waits)),
            "replays": len(spans) / self.ITERATIONS,
            "calls": each,
            "kernel_ms": kernel_ms,
            "longest_kernels_ms": {
                name: us / 1e3 / self.ITERATIONS for name, us in kernels.most_common(12)
            },
        }


@contextlib.contextmanager
def emptied(device: str) -> Iterator[Callable[[], float]]:
    """With the device's memory free; yields a function: the most that was taken since, in bytes."""
    gc.collect()
    if device == "cpu":
        yield lambda: 0.0
        return
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    yield lambda: torch.cuda.max_memory_allocated() - before
    gc.collect()
    torch.cuda.empty_cache()


def synchronise(device: str) -> None:
    """Wait for the device."""
    if device != "cpu":
        torch.cuda.synchronize()


def _ms(found: Found) -> str:
    return f"{1e3 * found['seconds']:.1f} ms"
