"""Judging any policy in an env without tables, by sampling: what `EpochWrapper` makes of it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from myopia.analysis.evaluation.evaluation import Evaluation
from myopia.analysis.measures.measure import all_entries, all_probabilities
from myopia.analysis.sampled.jackknife import at_least, jackknife
from myopia.common.search_path import safe_imports

NO_TABLES = "the env has no tables, so what could be done in it is not known"
LIFETIMES = 200


class _Lives(NamedTuple):
    """N lifetimes: reward (N, K) by epoch, stop (N,) epoch of shutdown, late (N,) steps past C."""

    reward: np.ndarray
    stop: np.ndarray
    late: np.ndarray


@safe_imports()
def evaluate_env(
    make_env: Callable[[], gymnasium.Env],
    act: Callable[[Any], Any],
    name: str = "policy",
    lifetimes: int = LIFETIMES,
    seed: int = 0,
) -> Evaluation:
    """Judge `act`, from an observation to an action, in an env with epochs.

    The measures that need no tables; the others are null, with a reason. `make_env` gives an
    `EpochWrapper`, or anything around one. A policy with memory has a method `reset`, called before
    each lifetime. Raises ValueError for fewer lifetimes than the intervals need.
    """
    env = make_env()
    schedule, K = env.get_wrapper_attr("schedule"), env.get_wrapper_attr("max_epochs")
    cutoff = schedule.cutoff_epoch(K)
    lives = _live(env, act, at_least(lifetimes), seed, K, K if cutoff is None else cutoff)
    index, channel = env.get_wrapper_attr("index"), env.get_wrapper_attr("channel")
    env.close()
    told = _measures(lives, cutoff)
    without = [name for name in (*all_entries(), "class") if name not in told]
    measures: dict[str, Any] = {**dict.fromkeys(without), **told}
    reasons = dict.fromkeys(without, NO_TABLES)
    for measure in [one for one, value in measures["stop"].items() if value is None]:
        endless = cutoff is None and "_" not in measure
        reasons[f"stop.{measure}"] = "the schedule has no cutoff" if endless else NO_TABLES
    return Evaluation(
        world=env.spec.id if env.spec else type(env.unwrapped).__name__,
        dials={
            "max_epochs": K, "schedule": str(schedule), "index": str(index), "channel": channel
        },
        policy=name,
        method="sampled",
        measures=measures,
        reasons=reasons,
        intervals=jackknife(
            measures,
            lifetimes,
            lambda kept: measures | _measures(_Lives(*(x[kept] for x in lives)), cutoff),
            all_probabilities(),
        ),
        lifetimes=lifetimes,
    )  # fmt: skip


def _live(
    env: gymnasium.Env, act: Callable, lifetimes: int, seed: int, K: int, cutoff: int
) -> _Lives:
    reward, stop, late = np.zeros((lifetimes, K)), np.full(lifetimes, K), np.zeros(lifetimes)
    for life in range(lifetimes):
        observation, _ = env.reset(seed=seed if life == 0 else None)
        getattr(act, "reset", lambda: None)()
        ended, info = False, {}
        while not ended:
            observation, earned, terminated, truncated, info = env.step(act(observation))
            ended, epoch = terminated or truncated, info["epoch"]
            reward[life, epoch] += float(earned)
            stopped = ended and info.get("stop_epoch", K) < K
            late[life] += epoch >= cutoff and not stopped
        stop[life] = info.get("stop_epoch", K)
    return _Lives(reward, stop, late)


def _measures(lives: _Lives, cutoff: int | None) -> dict[str, Any]:
    count, K = lives.reward.shape
    stop = np.bincount(lives.stop, minlength=K + 1) / count
    mean = float(lives.stop.mean())
    return {
        "return": float(lives.reward.sum() / count),
        "reward_by_epoch": lives.reward.mean(axis=0).tolist(),
        "cutoff": cutoff,
        "stop": {
            "mean": mean,
            "error": None if cutoff is None else mean - cutoff,
            "overrun": float((lives.late > 0).mean()),
            "premature": float((lives.stop < (K if cutoff is None else cutoff)).mean()),
            "survival": (1 - np.cumsum(stop[:-1])).tolist(),
            "distribution": stop.tolist(),
            "myopic_survival": None,
            "lifetime_survival": None,
            "myopic_overrun": None,
            "lifetime_overrun": None,
        },
    }
