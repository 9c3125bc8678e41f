"""Uncertainty over training seeds: interquartile means, profiles, improvement, with intervals.

After Agarwal et al., "Deep RL at the edge of the statistical precipice" (arXiv 2108.13264).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy  # its stats take half a second to load, and load when they are used

RESAMPLES = 2000


class Estimate(NamedTuple):
    """A statistic and its 95 % bootstrap interval, (nan, nan) where one seed gives none."""

    value: float
    low: float
    high: float


def interquartile_mean(scores: Sequence[float], seed: int = 0) -> Estimate:
    """Mean of the middle half of the seeds' scores. Raises ValueError for none, or for NaN."""
    sample = _checked("scores", scores)

    def statistic(values: np.ndarray, axis: int) -> np.ndarray:
        return np.asarray(scipy.stats.trim_mean(values, 0.25, axis=axis))

    return _bootstrap((sample,), statistic, seed)


def probability_of_improvement(
    scores: Sequence[float], other: Sequence[float], seed: int = 0
) -> Estimate:
    """P(a seed of `scores` beats one of `other`), ties counting half."""
    one, two = _checked("scores", scores), _checked("other", other)

    def statistic(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
        x, y = np.moveaxis(x, axis, -1)[..., :, None], np.moveaxis(y, axis, -1)[..., None, :]
        return ((x > y) + 0.5 * (x == y)).mean(axis=(-1, -2))

    return _bootstrap((one, two), statistic, seed)


def performance_profile(
    scores: Sequence[float], thresholds: Sequence[float], seed: int = 0
) -> list[Estimate]:
    """For each threshold: the share of seeds that score above it."""
    sample = _checked("scores", scores)
    return [
        _bootstrap((sample,), lambda v, axis, at=at: (v > at).mean(axis=axis), seed)
        for at in thresholds
    ]


def _bootstrap(
    samples: tuple[np.ndarray, ...], statistic: Callable[..., Any], seed: int
) -> Estimate:
    value = float(statistic(*samples, axis=-1))
    if min(map(len, samples)) < 2:
        return Estimate(value, float("nan"), float("nan"))
    interval = scipy.stats.bootstrap(
        samples,
        statistic,
        n_resamples=RESAMPLES,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Estimate(value, float(interval.low), float(interval.high))


def _checked(name: str, values: Sequence[float]) -> np.ndarray:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not sample.size or not np.isfinite(sample).all():
        raise ValueError(f"{name}: expected at least one finite number, got {values!r}")
    return sample
