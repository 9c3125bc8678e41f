"""Reading a loss curve: how wide its drop is, and how many plateaus it has."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

THRESHOLDS = (0.03, 0.1, 0.3)
"""Flat: the loss changes by at most this share per unit of τ. Counts depend on it, so all three
are printed."""
SHORTEST = 0.35
"""Least length of a plateau in τ."""
FIRST_STEP = 10
LOWEST = 0.03
"""Share of the reference below which nothing counts."""
GRID = 0.01
"""Spacing in τ on which slopes are taken."""


@dataclass(frozen=True)
class Plateaus:
    """Flat stretches of a loss curve, as (first, last) step each."""

    initial: tuple[float, float] | None
    """The one with which the curve begins."""
    later: tuple[tuple[float, float], ...]

    @property
    def count(self) -> int:
        """All of them."""
        return len(self.later) + (self.initial is not None)


def drop_width(steps: np.ndarray, loss: np.ndarray, reference: float) -> float | None:
    """`ln t(L = .9 ref) - ln t(L = 1.1 ref)`, first crossings; None where there is none.

    Args:
        steps: (R,) rising from 0.
        loss: (R,).
        reference: the loss at Z = 0.
    """
    times = [_first_below(steps, loss, share * reference) for share in (1.1, 0.9)]
    if times[0] is None or times[1] is None:
        return None
    return float(times[1] - times[0])


def find_plateaus(
    steps: np.ndarray, loss: np.ndarray, reference: float, flatness: float
) -> Plateaus:
    """Stretches of at least .35 in τ = ln(step) + constant in which |d ln L / dτ| <= flatness.

    Steps before 10 and losses below 3 % of the reference are left out.

    Args:
        steps: (R,) rising from 0.
        loss: (R,).
        reference: the loss at Z = 0.
        flatness: see `THRESHOLDS`.
    """
    kept = (steps >= FIRST_STEP) & (loss >= LOWEST * reference)
    if kept.sum() < 2:
        return Plateaus(None, ())
    known = np.log(steps[kept])
    tau = np.arange(known[0], known[-1], GRID)
    if len(tau) < 3:
        return Plateaus(None, ())
    slope = np.gradient(np.interp(tau, known, np.log(loss[kept])), GRID)
    flat = np.flatnonzero(np.abs(slope) <= flatness)
    edges = [0, *(np.flatnonzero(np.diff(flat) > 1) + 1), len(flat)]
    runs = [(flat[a], flat[b - 1]) for a, b in pairwise(edges) if b > a]
    runs = [(a, b) for a, b in runs if (b - a) * GRID >= SHORTEST]
    spans = [(float(np.exp(tau[a])), float(np.exp(tau[b]))) for a, b in runs]
    begins = bool(runs) and runs[0][0] == 0
    return Plateaus(spans[0] if begins else None, tuple(spans[1:] if begins else spans))


def bump(overlap: np.ndarray) -> float:
    """How far a curve falls below a height that it had reached before: 0 if it only rises."""
    return float((np.maximum.accumulate(overlap) - overlap).max())


def _first_below(steps: np.ndarray, loss: np.ndarray, level: float) -> float | None:
    """Logarithm of the step at which the loss first crosses the level, linear in between."""
    below = np.flatnonzero(loss < level)
    if not len(below) or below[0] == 0:
        return None
    at = below[0]
    share = (loss[at - 1] - level) / (loss[at - 1] - loss[at])
    step = steps[at - 1] + share * (steps[at] - steps[at - 1])
    return float(np.log(step)) if step > 0 else None
