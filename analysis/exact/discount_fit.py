"""Fitting a discount to choices: softmax of β Q_δ by maximum likelihood over δ and β.

For each δ the expected log likelihood is concave in β, so the profile over δ is exact. Its maximum
and its interval are looked for on a lattice of discounts, closer and closer: what the oracles say
there serves every policy that is judged in the same world.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from myopia.analysis.exact.oracle import read_only, solve, solve_many
from myopia.envs.world import World

TICKS = 10_000
"""Discounts are looked at in units of 1 / TICKS."""
COARSE, FINE = 100, 10
"""Ticks between two discounts of the profile; between two around the ends of the interval."""
GRID = np.arange(0, TICKS + 1, COARSE) / TICKS
BETA_MOST = 1e5
WITHIN = 0.002
"""Nats per visited choice: discounts this close to the best explain as well."""
WIDEST = 0.2
"""An interval wider than this gives no estimate."""
NEGLIGIBLE = 1e-10
"""Choices made with less than this share of the weight are left out."""
EQUAL = 1e-14
"""Nats by which a likelihood has to be larger to count as larger."""
MOST_STEPS = 60
"""Of the search for the best β; few rows need more than 20."""
TINY = 1e-300
MOST_BYTES = 1 << 26
"""Of the oracles' values that are worked out at once."""

Choices = Callable[[np.ndarray], np.ndarray]
"""From Q (..., A), shutdown last, to the values of the options of a choice (..., options)."""


def continue_choice(q: np.ndarray) -> np.ndarray:
    """The choice among the actions other than shutdown."""
    return q[..., :-1]


def stop_choice(q: np.ndarray) -> np.ndarray:
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
        wide = self.high - self.low > WIDEST + 0.5 / TICKS  # in whole ticks: no matter of rounding
        return None if wide else self.best


def fit_discount(
    world: World, question: Choices, chosen: np.ndarray, weight: np.ndarray
) -> Fit | None:
    """The discount that best explains `chosen` (K, T, S, options), probabilities of the options.

    `weight` (K, T, S): how often each choice is made. None where no choice that is made depends
    on the discount.
    """
    cells, coarse = choice_values(world, question)
    weight = weight.ravel()[cells]
    made = weight > NEGLIGIBLE * max(weight.sum(), TINY)
    if not made.any():
        return None
    weight = weight[made] / weight[made].sum()
    chosen = chosen.reshape(-1, chosen.shape[-1])[cells][made].T
    profile, betas = _profile(coarse[..., made], chosen, weight)
    ticks = range(0, TICKS + 1, COARSE)
    likelihood = dict(zip(ticks, profile.tolist(), strict=True))
    beta = dict(zip(ticks, betas.tolist(), strict=True))

    def look(ticks: Iterable[int]) -> None:
        if new := tuple(tick for tick in ticks if tick not in likelihood):
            found = _profile(values_at(world, question, new)[..., made], chosen, weight)
            for known, values in zip((likelihood, beta), found, strict=True):
                known.update(zip(new, values.tolist(), strict=True))

    def best_within(nats: float) -> list[int]:
        enough = max(likelihood.values()) - nats
        return sorted(tick for tick, value in likelihood.items() if value >= enough)

    def best_tick() -> int:
        # a nearly deterministic policy is explained equally well by all of a bracket: its middle
        equal = best_within(EQUAL)
        return min(equal, key=lambda tick: abs(2 * tick - equal[0] - equal[-1]))

    for step in (FINE, 1):
        best = best_tick()
        look(range(max(best - 10 * step, 0), min(best + 10 * step, TICKS) + 1, step))
    inside = best_within(WITHIN)
    below = max((tick for tick in likelihood if tick < inside[0]), default=0)
    above = min((tick for tick in likelihood if tick > inside[-1]), default=TICKS)
    look((*range(below, inside[0], FINE), *range(inside[-1], above, FINE)))
    inside, best = best_within(WITHIN), best_tick()
    low, high = inside[0], inside[-1]
    return Fit(best / TICKS, beta[best], low / TICKS, high / TICKS, profile)


@functools.lru_cache(maxsize=4)
def choice_values(world: World, question: Choices) -> tuple[np.ndarray, np.ndarray]:
    """The choices that depend on the discount: their cells (C,), and values (101, options, C).

    Values are centred over the options; a cell depends on δ where they vary with it.
    """
    first = _values(world, question, [0.0])
    varies = np.zeros(first.shape[-1], dtype=bool)
    parts = []
    for deltas in _in_parts(world, GRID):
        values = _values(world, question, deltas)
        scale = np.maximum(1, np.abs(values).max(axis=1))
        varies |= (np.abs(values - first).max(axis=1) > 1e-9 * scale).any(axis=0)
        parts.append(values)
    cells = np.flatnonzero(varies)
    return read_only(cells), read_only(np.concatenate([values[..., cells] for values in parts]))


@functools.lru_cache(maxsize=16)
def values_at(world: World, question: Choices, ticks: tuple[int, ...]) -> np.ndarray:
    """What `choice_values` says of its cells, at other discounts: (len(ticks), options, C)."""
    cells, _ = choice_values(world, question)
    parts = _in_parts(world, np.array(ticks) / TICKS)
    values = [_values(world, question, deltas)[..., cells] for deltas in parts]
    return read_only(np.concatenate(values))


def _values(world: World, question: Choices, deltas: Sequence[float] | np.ndarray) -> np.ndarray:
    """(deltas, options, cells), centred over the options."""
    q = question(solve_many(world, deltas).q)
    # the few options go before the many cells: sums over them are then sums of long rows
    values = np.moveaxis(q.reshape(len(q), -1, q.shape[-1]), -1, 1)
    return np.subtract(values, values.mean(axis=1, keepdims=True), order="C")


def _in_parts(world: World, deltas: np.ndarray) -> list[np.ndarray]:
    most = max(1, MOST_BYTES // solve(world, 0.0).q.nbytes)
    return np.array_split(deltas, -(-len(deltas) // most))


def _profile(
    values: np.ndarray, chosen: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each row of `values` (D, options, C): the best likelihood over β, and that β, (D,) each.

    What β earns rises to what the largest β earns, and the gap between them closes about
    exponentially: this is Newton's method on the logarithm of the gap, kept within a bracket that
    bisection would give. A row is done where another step would gain nothing.
    """
    # what was chosen, in units of the values, choice by choice: the gradient's constant part
    earned = np.einsum("doc,oc->dc", values, chosen)
    at_most, falling, _ = _likelihood(values, earned, np.full(len(values), BETA_MOST), weight)
    ends = np.stack([np.full(len(values), -np.log(len(chosen))), at_most])
    best, betas = ends.max(axis=0), np.array([0.0, BETA_MOST])[ends.argmax(axis=0)]
    # at 0 the slope is what was earned, since the values are centred
    rows = np.flatnonzero((earned @ weight > 0) & (falling < 0))
    values, earned, falling = values[rows], earned[rows], falling[rows]
    low, high, beta = np.zeros(len(rows)), np.full(len(rows), BETA_MOST), np.ones(len(rows))
    for _ in range(MOST_STEPS):
        likelihood, slope, variance = _likelihood(values, earned, beta, weight)
        better = likelihood > best[rows]
        best[rows[better]], betas[rows[better]] = likelihood[better], beta[better]
        low, high = np.where(slope > 0, beta, low), np.where(slope > 0, high, beta)
        gap = np.maximum(slope - falling, TINY)
        newton = beta + gap / np.maximum(variance, TINY) * np.log(gap / -falling)
        inside = (newton > low) & (newton < high)
        gain = np.abs(slope) * np.where(inside, np.abs(newton - beta), high - low)
        beta = np.where(inside, newton, np.where(low > 0, np.sqrt(low * high), high / 10))
        if not (going := gain > EQUAL).all():
            rows, low, high, beta = rows[going], low[going], high[going], beta[going]
            values, earned, falling = values[going], earned[going], falling[going]
        if not len(rows):
            break
    return best, betas


def _likelihood(
    values: np.ndarray, earned: np.ndarray, beta: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The log likelihood of softmax(β values), its slope in β, and minus its curvature, (D,)."""
    logits = beta[:, None, None] * values
    top = logits.max(axis=1)
    mass = np.exp(logits - top[:, None])
    total = mass.sum(axis=1)
    part = mass * values
    mean = part.sum(axis=1) / total
    square = (part * values).sum(axis=1) / total
    # differences before sums: at a large β what is left of them is small
    likelihood = (beta[:, None] * earned - top) - np.log(total)
    return likelihood @ weight, (earned - mean) @ weight, (square - mean**2) @ weight
