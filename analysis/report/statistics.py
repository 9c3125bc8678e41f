"""Uncertainty over training seeds: shares, medians, and whether two conditions are interchangeable.

No interval here assumes a shape, since scores pile up at 0 and 1, where an interval of a mean does
not cover what it says; `python benchmarks/coverage.py` counts how often these do.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy  # its parts take up to half a second to load, and load when they are used

COVERAGE = 0.95
FEWEST = 5
"""Seeds below which a median has no interval; at 5 its coverage is .9375, all there is to have."""
MOST_SPLITS = 200_000
"""Up to this many splits are all looked at: 10 seeds against 10 have 184,756."""
DRAWS = 100_000
"""Random splits where there are more."""
TIE = 1e-9
"""Differences of means this close, relative to the largest score, are ties."""


class Interval(NamedTuple):
    """From `low` to `high`, both included.

    `coverage` is the least over all shapes of the scores: exact for a median of scores without
    ties, for a share what is guaranteed (its attained coverage depends on the true share).
    """

    low: float
    high: float
    coverage: float


class Summary(NamedTuple):
    """The scores of a condition, in the order given, and what is said of them."""

    values: tuple[float, ...]
    mean: float
    low: float
    """The least score."""
    high: float
    """The greatest score."""
    median: float
    interval: Interval | None
    """Of the median over training seeds, not of the mean; None below 5 seeds."""


def share_interval(count: int, total: int, seen: int = 2) -> Interval:
    """Exact (Clopper-Pearson, two-sided 95 %) interval of a share of which `count` in `total` had.

    Where the class was picked because it is the most frequent of the `seen` that occurred, more
    than two of them share what may be missed (Bonferroni's way): otherwise an interval picked so
    covers .92 where three or more are equally frequent.

    Args:
        count: seeds of the class.
        total: seeds.
        seen: classes that occurred; 2 or fewer leave Clopper and Pearson's interval as it is.

    Raises:
        ValueError: `total` is below 1, or `count` is not from 0 to `total`.
    """
    if total < 1 or not 0 <= count <= total:
        raise ValueError(f"expected a count from 0 to a total of 1 or more, got {count} of {total}")
    tail, inverse = (1 - COVERAGE) / max(2, seen), scipy.special.betaincinv
    low = float(inverse(count, total - count + 1, tail)) if count else 0.0
    high = float(inverse(count + 1, total - count, 1 - tail)) if count < total else 1.0
    return Interval(low, high, COVERAGE)


def summarise(scores: Sequence[float]) -> Summary:
    """Every seed, mean, least, greatest, median, and from 5 seeds on the median's interval.

    The interval goes from the r-th to the r-th last of the sorted scores, r the largest that covers
    95 % (at 5 seeds r = 1). It misses only where fewer than r seeds lie on one side of the true
    median, which is a matter of coin tosses, whatever the shape of the scores.

    Raises:
        ValueError: `scores` is empty, or one of them is not finite.
    """
    sample = _checked("scores", scores)
    return Summary(
        tuple(sample.tolist()),
        float(sample.mean()),
        float(sample.min()),
        float(sample.max()),
        float(np.median(sample)),
        _median_interval(np.sort(sample)),
    )


def permutation_p(one: Sequence[float], other: Sequence[float]) -> float:
    """P value of "the seeds of both are interchangeable": two-sided, by |difference of means|.

    It is the share of all splits of the pooled scores into groups of these sizes whose means differ
    at least as much, ties included (to a relative 1e-9, which errs towards a larger p), so that it
    is at most α with a probability of at most α, whatever the shape. Where there are more than
    200,000 splits it is (1 + hits) / (1 + draws) of 100,000 random ones from a fixed seed, so that
    it is never 0; over the draws the same is true of it.

    Raises:
        ValueError: one of the two is empty, or holds a score that is not finite.
    """
    first, second = _checked("one", one), _checked("other", other)
    few, many = sorted((first, second), key=len)
    pooled = np.sort(np.concatenate([first, second]))
    scale = np.abs(pooled).max() or 1.0
    least = abs(few.mean() - many.mean()) / scale - TIE
    exact = math.comb(len(pooled), len(few)) <= MOST_SPLITS
    split_sums = _all_split_sums if exact else _random_split_sums
    sums = split_sums(pooled / scale, len(few))
    differences = sums / len(few) - ((pooled / scale).sum() - sums) / len(many)
    hits = int(np.count_nonzero(np.abs(differences) >= least))
    return hits / len(sums) if exact else (1 + hits) / (1 + len(sums))


def holm(p_values: Sequence[float], alpha: float = 0.05) -> list[bool]:
    """Which of the comparisons hold together at level `alpha`, by Holm's step-down.

    Raises:
        ValueError: a p value is not from 0 to 1.
    """
    return [p <= alpha for p in holm_adjusted(p_values)]


def holm_adjusted(p_values: Sequence[float]) -> list[float]:
    """For each comparison the least level at which `holm` would let it hold.

    Raises:
        ValueError: a p value is not from 0 to 1.
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError(f"p_values: expected numbers from 0 to 1, got {p_values!r}")
    adjusted, level = [0.0] * len(p_values), 0.0
    ascending = sorted(range(len(p_values)), key=lambda i: p_values[i])
    for left, i in zip(range(len(p_values), 0, -1), ascending, strict=True):
        level = max(level, min(1.0, left * float(p_values[i])))
        adjusted[i] = level
    return adjusted


def seeds_needed(comparisons: int, alpha: float = 0.05) -> int:
    """Least number of seeds in each condition with which every comparison can come out.

    The least p value of n seeds against n is 2 / C(2n, n), and the first of Holm's steps wants
    `alpha / comparisons`.

    Raises:
        ValueError: there is no comparison, or `alpha` is not between 0 and 1.
    """
    if comparisons < 1 or not 0 < alpha < 1:
        raise ValueError(f"expected a comparison and 0 < alpha < 1, got {comparisons}, {alpha}")
    return next(n for n in itertools.count(1) if 2 / math.comb(2 * n, n) <= alpha / comparisons)


def _median_interval(ascending: np.ndarray) -> Interval | None:
    n = len(ascending)
    if n < FEWEST:
        return None
    rank, coverage = _median_rank(n)
    return Interval(float(ascending[rank - 1]), float(ascending[n - rank]), coverage)


@functools.cache
def _median_rank(n: int) -> tuple[int, float]:
    """The largest rank that covers, but at least 1, and its coverage."""
    rank, outside = 1, 2  # of the 2^n ways in which n seeds can lie about the median
    while 1 - (wider := outside + 2 * math.comb(n, rank)) / 2**n >= COVERAGE:
        rank, outside = rank + 1, wider
    return rank, 1 - outside / 2**n


def _all_split_sums(pooled: np.ndarray, size: int) -> np.ndarray:
    """Of the first group's scores, in each split."""
    return pooled[_all_splits(len(pooled), size)].sum(axis=1)


@functools.lru_cache(maxsize=4)
def _all_splits(total: int, size: int) -> np.ndarray:
    """Each row: which of the pooled seeds are in the first group."""
    rows = itertools.combinations(range(total), size)
    flat = np.fromiter(itertools.chain.from_iterable(rows), dtype=np.intp)
    return flat.reshape(-1, size)


def _random_split_sums(pooled: np.ndarray, size: int) -> np.ndarray:
    """The same of random splits, a thousand at a time to be small."""
    rng, block = np.random.default_rng(0), np.tile(pooled, (1000, 1))
    sums = [rng.permuted(block, axis=1)[:, :size].sum(axis=1) for _ in range(0, DRAWS, len(block))]
    return np.concatenate(sums)


def _checked(name: str, values: Sequence[float]) -> np.ndarray:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not sample.size or not np.isfinite(sample).all():
        raise ValueError(f"{name}: expected at least one finite number, got {values!r}")
    return sample
