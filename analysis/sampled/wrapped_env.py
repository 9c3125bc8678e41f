"""Judging any policy in an env without tables, by sampling: what `EpochWrapper` makes of it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from myopia.analysis.evaluation.evaluation import Evaluation
from myopia.analysis.exact.occupancy import survival_of
from myopia.analysis.measures.measure import all_entries, all_probabilities
from myopia.analysis.sampled.jackknife import at_least, jackknife
from myopia.common.search_path import safe_imports

NO_TABLES = "the env has no tables, so what could be done in it is not known"
LIFETIMES = 200


class _Lives(NamedTuple):
    """N lifetimes: reward (N, K) by epoch; the rest (N,)."""

    reward: np.ndarray
    stop: np.ndarray  # epoch of shutdown, K where there was none
    late: np.ndarray  # steps past C
    seen: np.ndarray  # epochs lived through before a time limit cut it, K where none did


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
    `EpochWrapper`, or anything around one. Where a `TimeLimit` around it cuts lifetimes, `cut` is
    their share, and what depends on epochs that somebody was not left to live is null. A policy
    with memory has a method `reset`, called before each lifetime. Raises ValueError for an
    env without epochs, and for fewer lifetimes than the intervals need.
    """
    if isinstance(make_env, gymnasium.Env) or not callable(make_env):
        raise ValueError(f"expected a function that makes an env, as lambda: env, got {make_env}")
    env = make_env()
    if not env.has_wrapper_attr("schedule"):
        raise ValueError(
            f"{env} has no epochs: expected EpochWrapper around it; for a world with tables "
            "myopia.evaluate measures all, and exactly"
        )
    schedule, K = env.get_wrapper_attr("schedule"), env.get_wrapper_attr("max_epochs")
    cutoff = schedule.cutoff_epoch(K)
    lives = _live(env, act, at_least(lifetimes), seed, K, K if cutoff is None else cutoff)
    index, channel = env.get_wrapper_attr("index"), env.get_wrapper_attr("channel")
    env.close()
    known = int(lives.seen.min())
    told = _measures(lives, cutoff, known)
    without = [name for name in (*all_entries(), "class") if name not in told]
    measures: dict[str, Any] = {**dict.fromkeys(without), **told}
    reasons = dict.fromkeys(without, NO_TABLES)
    for measure in [one for one, value in measures["stop"].items() if value is None]:
        endless = cutoff is None and "_" not in measure
        reasons[f"stop.{measure}"] = "the schedule has no cutoff" if endless else NO_TABLES
    if known < K:
        reasons |= _cut_reasons(told, known)
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
            lambda kept: measures | _measures(_Lives(*(x[kept] for x in lives)), cutoff, known),
            {*all_probabilities(), "cut"},
        ),
        lifetimes=lifetimes,
    )  # fmt: skip


def _live(
    env: gymnasium.Env, act: Callable, lifetimes: int, seed: int, K: int, cutoff: int
) -> _Lives:
    reward, late = np.zeros((lifetimes, K)), np.zeros(lifetimes)
    stop, seen = np.full(lifetimes, K), np.full(lifetimes, K)
    for life in range(lifetimes):
        observation, _ = env.reset(seed=seed if life == 0 else None)
        getattr(act, "reset", lambda: None)()
        ended, epoch, info = False, 0, {}
        while not ended:
            observation, earned, terminated, truncated, info = env.step(act(observation))
            ended, epoch = terminated or truncated, info["epoch"]
            reward[life, epoch] += float(earned)
            stopped = ended and info.get("stop_epoch", K) < K
            late[life] += epoch >= cutoff and not stopped
        if "stop_epoch" in info:
            stop[life] = info["stop_epoch"]
        else:
            seen[life] = epoch + bool(info["epoch_end"])
    return _Lives(reward, stop, late, seen)


def _measures(lives: _Lives, cutoff: int | None, known: int) -> dict[str, Any]:
    """The measures, null where they depend on what came after the first `known` epochs."""
    count, K = lives.reward.shape
    stop = np.bincount(lives.stop, minlength=K + 1) / count
    mean, late_from = float(lives.stop.mean()), K if cutoff is None else cutoff
    whole = known == K

    def until(values: np.ndarray) -> list[float | None]:
        return [value if whole or k < known else None for k, value in enumerate(values.tolist())]

    return {
        "return": float(lives.reward.sum() / count) if whole else None,
        "reward_by_epoch": until(lives.reward.mean(axis=0)),
        "cutoff": cutoff,
        "cut": float((lives.seen < K).mean()),
        "stop": {
            "mean": mean if whole else None,
            "error": None if cutoff is None or not whole else mean - cutoff,
            "overrun": float((lives.late > 0).mean()) if whole or known > late_from else None,
            "premature": (
                float((lives.stop < late_from).mean()) if whole or known >= late_from else None
            ),
            "survival": until(survival_of(stop)),
            "distribution": until(stop),
            "myopic_survival": None,
            "lifetime_survival": None,
            "myopic_overrun": None,
            "lifetime_overrun": None,
        },
    }


def _cut_reasons(measures: dict[str, Any], known: int) -> dict[str, str]:
    """Why measures are null, or null from some epoch on, in lifetimes that were cut."""
    reason = (
        f"{measures['cut']:.3g} of the lifetimes were cut by a time limit, the first in epoch "
        f"{known}: what would have come after is not known"
    )
    named = {"stop." + name: value for name, value in measures["stop"].items() if "_" not in name}
    named |= {name: measures[name] for name in ("return", "reward_by_epoch")}
    return {
        name: reason
        for name, value in named.items()
        if value is None or (isinstance(value, list) and None in value)
    }
