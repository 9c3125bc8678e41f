"""Intervals for anything that is computed from lifetimes: the jackknife that leaves out groups.

Efron and Stein, "The jackknife estimate of variance" (1981). The estimate is made anew without each
of G groups of lifetimes; the pseudo-values G θ - (G - 1) θ_g have the variance of independent
estimates, and their mean has lost the bias of first order.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.special

GROUPS = 10
SHARES = {
    float: ("overrun", "premature", "farsighted", "myopic", "neither"),
    list: ("survival", "distribution"),
}
"""Entries that are probabilities, and lists of them: their intervals end at 0 and 1."""


def at_least(lifetimes: int) -> int:
    """`lifetimes` itself. Raises ValueError where there are too few for an interval."""
    if lifetimes < GROUPS:
        raise ValueError(f"lifetimes must be at least {GROUPS}, got {lifetimes}")
    return lifetimes


def jackknife(whole: Any, count: int, estimate: Callable[[np.ndarray], Any]) -> Any:
    """95 % intervals in the shape of `whole`, with [low, high] in the place of every number.

    `whole` is what `estimate` gives for all `count` lifetimes; it is called with the numbers (m,)
    of those that are kept. None where an estimate is no number.
    """
    group = np.arange(count) % GROUPS
    return _intervals(whole, [estimate(np.flatnonzero(group != g)) for g in range(GROUPS)])


def _intervals(whole: Any, parts: list[Any], share: bool = False) -> Any:
    if isinstance(whole, Mapping):
        return {
            name: _intervals(
                value, [part[name] for part in parts], name in SHARES.get(type(value), ())
            )
            for name, value in whole.items()
        }
    if isinstance(whole, list):
        each = enumerate(whole)
        return [_intervals(value, [part[at] for part in parts], share) for at, value in each]
    if isinstance(whole, bool | str) or whole is None or any(part is None for part in parts):
        return None
    pseudo = GROUPS * whole - (GROUPS - 1) * np.array(parts)
    half = scipy.special.stdtrit(GROUPS - 1, 0.975) * pseudo.std(ddof=1) / np.sqrt(GROUPS)
    ends = np.array([pseudo.mean() - half, pseudo.mean() + half])
    return (ends.clip(0, 1) if share else ends).tolist()
