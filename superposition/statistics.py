"""Intervals over seeds."""

import math
from collections.abc import Sequence

from scipy.stats import t


def wilson(successes: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; (0, 1) without trials.

    Raises:
        ValueError: not 0 <= successes <= trials.
    """
    if not 0 <= successes <= trials:
        raise ValueError(
            f"successes must lie between 0 and trials, but are {successes} of {trials}"
        )
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    centre = share + z * z / (2 * trials)
    width = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (centre - width) / scale), min(1.0, (centre + width) / scale)


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of seeds and its 95 % interval by Student's t; the mean thrice for a single seed.

    Raises:
        ValueError: no values.
    """
    if not len(values):
        raise ValueError("there is no value to take the mean of")
    mean, n = sum(values) / len(values), len(values)
    if n == 1:
        return mean, mean, mean
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1) / n)
    width = float(t.ppf(0.975, n - 1)) * spread
    return mean, mean - width, mean + width
