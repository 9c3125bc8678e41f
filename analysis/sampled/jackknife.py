"""Intervals for anything that is computed from lifetimes: the jackknife that leaves out groups.

Efron and Stein, "The jackknife estimate of variance" (1981). The estimate is made anew without each
of G groups of lifetimes; the pseudo-values G θ - (G - 1) θ_g have the variance of independent
estimates, and their mean has lost the bias of first order.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import scipy.special

GROUPS = 10


def at_least(lifetimes: int) -> int:
    """`lifetimes` itself. Raises ValueError where there are too few for an interval."""
    if lifetimes < GROUPS:
        raise ValueError(f"lifetimes must be at least {GROUPS}, got {lifetimes}")
    return lifetimes


def jackknife(
    whole: Any,
    count: int,
    estimate: Callable[[np.ndarray], Any],
    probabilities: Collection[str] = (),
) -> Any:
    """95 % intervals in the shape of `whole`, with [low, high] in the place of every number.

    `whole` is what `estimate` gives for all `count` lifetimes; it is called with the numbers (m,)
    of those that are kept. None where an estimate is no number. `probabilities` are paths, keys
    joined by dots: intervals of the numbers there, and of all below, end at 0 and 1.
    """
    group = np.arange(count) % GROUPS
    parts = [estimate(np.flatnonzero(group != g)) for g in range(GROUPS)]
    return _intervals(whole, parts, probabilities, (), False)


def _intervals(
    whole: Any,
    parts: list[Any],
    probabilities: Collection[str],
    path: tuple[str, ...],
    bounded: bool,
) -> Any:
    bounded = bounded or ".".join(path) in probabilities
    if isinstance(whole, Mapping | list):
        items = whole.items() if isinstance(whole, Mapping) else enumerate(whole)
        found = {
            key: _intervals(
                value, [part[key] for part in parts], probabilities, (*path, str(key)), bounded
            )
            for key, value in items
        }
        return found if isinstance(whole, Mapping) else list(found.values())
    if isinstance(whole, bool | str) or whole is None or any(part is None for part in parts):
        return None
    pseudo = GROUPS * whole - (GROUPS - 1) * np.array(parts)
    half = scipy.special.stdtrit(GROUPS - 1, 0.975) * pseudo.std(ddof=1) / np.sqrt(GROUPS)
    ends = np.array([pseudo.mean() - half, pseudo.mean() + half])
    return (ends.clip(0, 1) if bounded else ends).tolist()
