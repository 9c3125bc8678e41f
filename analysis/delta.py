"""Fitting a discount to choices: softmax of β Q_δ by maximum likelihood over δ and β.

For each δ the expected log likelihood is concave in β, so the profile over δ is exact; the
profile's maximum and its interval are found on a grid and then refined by solving in between.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize

from myopia.analysis.oracle import solve
from myopia.envs.world import World

GRID = np.linspace(0, 1, 101)
BETA_MOST = 1e5
WITHIN = 0.002
"""Nats per visited choice: discounts this close to the best explain as well."""
WIDEST = 0.2
"""An interval wider than this gives no estimate."""
NEGLIGIBLE = 1e-10
"""Choices made with less than this share of the weight are left out."""

Choices = Callable[[np.ndarray], np.ndarray]
"""From Q (..., A), shutdown last, to the values of the options of a choice (..., options)."""


def going_on(q: np.ndarray) -> np.ndarray:
    """The choice among the actions other than shutdown."""
    return q[..., :-1]


def stopping(q: np.ndarray) -> np.ndarray:
    """The choice between the best other action and shutdown."""
    return np.stack([q[..., :-1].max(axis=-1), q[..., -1]], axis=-1)


@dataclasses.dataclass(frozen=True)
class Fit:
    """The best δ and β, and all δ within WITHIN nats per choice of the best."""

    best: float
    beta: float
    low: float
    high: float
    profile: np.ndarray  # (len(GRID),): expected log likelihood per choice, at the best β

    @property
    def identifiable(self) -> bool:
        """False where every discount explains the choices."""
        return not (self.low <= 0 and self.high >= 1)

    @property
    def estimate(self) -> float | None:
        """`best`, where the interval is narrow enough to mean something."""
        return self.best if self.high - self.low <= WIDEST else None


def explain(world: World, question: Choices, chosen: np.ndarray, weight: np.ndarray) -> Fit | None:
    """The discount that best explains `chosen` (K, T, S, options), probabilities of the options.

    `weight` (K, T, S): how often each choice is made. None where no choice that is made depends
    on the discount.
    """
    cells, values = ladder(world, question)
    weight = weight.ravel()[cells]
    made = weight > NEGLIGIBLE * max(weight.sum(), 1e-300)
    if not made.any():
        return None
    weight = weight[made] / weight[made].sum()
    chosen = chosen.reshape(-1, chosen.shape[-1])[cells][made]
    profile, betas = _profile(values[:, made], chosen, weight)

    def at(delta: float) -> tuple[float, float]:
        q = question(solve(world, float(delta)).q).reshape(-1, chosen.shape[-1])[cells][made]
        likelihood, beta = _profile(_centred(q)[None], chosen, weight)
        return float(likelihood[0]), float(beta[0])

    peak = int(profile.argmax())
    best, top, beta = float(GRID[peak]), float(profile[peak]), float(betas[peak])
    around = (float(GRID[max(peak - 1, 0)]), float(GRID[min(peak + 1, len(GRID) - 1)]))
    refined: Any = scipy.optimize.minimize_scalar(
        lambda delta: -at(delta)[0], bounds=around, method="bounded", options={"xatol": 1e-4}
    )
    if -refined.fun > top + 1e-12:
        best = float(refined.x)
        top, beta = at(best)
    inside = np.flatnonzero(profile >= top - WITHIN)
    first, last = (int(inside[0]), int(inside[-1])) if inside.size else (peak, peak)
    low, high = min(best, float(GRID[first])), max(best, float(GRID[last]))
    edge = functools.partial(_edge, lambda delta: at(delta)[0] - (top - WITHIN))
    if first > 0:
        low = edge(low, float(GRID[first - 1]))
    if last < len(GRID) - 1:
        high = edge(high, float(GRID[last + 1]))
    return Fit(best, beta, low, high, profile)


@functools.lru_cache(maxsize=4)
def ladder(world: World, question: Choices) -> tuple[np.ndarray, np.ndarray]:
    """The choices that depend on the discount: their cells (C,), and values (101, C, options).

    Values are centred over the options; a cell depends on δ where they vary with it.
    """
    first = _centred(question(solve(world, 0.0).q))
    varies = np.zeros(first.shape[:-1], dtype=bool)
    rungs = []
    for delta in GRID:
        values = _centred(question(solve(world, float(delta)).q))
        scale = np.maximum(1, np.abs(values).max(axis=-1))
        varies |= np.abs(values - first).max(axis=-1) > 1e-9 * scale
        rungs.append(values)
    cells = np.flatnonzero(varies)
    options = first.shape[-1]
    return cells, np.stack([rung.reshape(-1, options)[cells] for rung in rungs])


def _centred(values: np.ndarray) -> np.ndarray:
    return values - values.mean(axis=-1, keepdims=True)


def _profile(
    values: np.ndarray, chosen: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each row of `values` (D, C, options): the best likelihood over β, and that β, (D,) each.

    Newton's method on a concave function, kept within a bracket that bisection would give.
    """
    # what was chosen, on average, in units of the values: the gradient's constant part
    earned = np.einsum("dco,co,c->d", values, chosen, weight)
    low, high = np.zeros(len(values)), np.full(len(values), BETA_MOST)
    beta = np.ones(len(values))
    for _ in range(60):
        _, mean, variance = _moments(values, beta, weight)
        slope = earned - mean
        low, high = np.where(slope > 0, beta, low), np.where(slope > 0, high, beta)
        newton = beta + slope / np.maximum(variance, 1e-300)
        middle = np.where(low > 0, np.sqrt(low * high), high / 10)
        step = np.where((newton > low) & (newton < high), newton, middle)
        done = np.abs(step - beta) <= 1e-9 * np.maximum(1e-6, beta)
        beta = step
        if done.all():
            break
    # the ends of the range are reached only in the limit
    ends = np.stack([np.zeros_like(beta), beta, np.full_like(beta, BETA_MOST)])
    likelihood = np.stack([b * earned - _moments(values, b, weight)[0] for b in ends])
    best = likelihood.argmax(axis=0)
    rows = np.arange(len(values))
    return likelihood[best, rows], ends[best, rows]


def _moments(
    values: np.ndarray, beta: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log partition, mean and variance of the values under softmax(β values), averaged, (D,)."""
    logits = beta[:, None, None] * values
    top = logits.max(axis=-1, keepdims=True)
    mass = np.exp(logits - top)
    total = mass.sum(axis=-1)
    partition = (np.log(total) + top[..., 0]) @ weight
    mean = (mass * values).sum(axis=-1) / total
    square = (mass * values**2).sum(axis=-1) / total
    return partition, mean @ weight, (square - mean**2) @ weight


def _edge(inside: Callable[[float], float], here: float, there: float) -> float:
    """Where `inside` turns negative between `here`, where it is not, and `there`, to 1e-3."""
    if inside(there) >= 0:
        return there
    while abs(there - here) > 1e-3:
        middle = (here + there) / 2
        here, there = (middle, there) if inside(middle) >= 0 else (here, middle)
    return here
