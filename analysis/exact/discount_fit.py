"""Fitting a discount to choices: softmax of β Q_δ with lapses, by maximum likelihood over δ, β, ε.

A choice follows (1-ε) softmax(β Q_δ) + ε / n over its n options: a Boltzmann policy with lapses, as
psychometric functions have them (Wichmann and Hill 2001). For fixed δ and ε = 0 the expected log
likelihood is concave in β; for fixed δ and β it is concave in ε. So what is searched without a
proof is one dimension, log β, on a grid that is then refined. The maximum over δ and its interval
are looked for on a lattice of discounts, closer and closer: what the oracles say there serves every
policy that is judged in the same world.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sparse

from myopia.analysis.exact.oracle import read_only, solve, solve_many
from myopia.envs.world import World

TICKS = 10_000
"""Discounts are looked at in units of 1 / TICKS."""
COARSE, FINE = 100, 10
"""Ticks between two discounts of the profile; between two around the ends of the interval."""
GRID = np.arange(0, TICKS + 1, COARSE) / TICKS
BETA_MOST = 1e5
BETAS = np.geomspace(0.1, 1e3, 13)
"""Where the best β is looked for with lapses, in units of 1 over the spread of the values."""
SCREENED = 256
"""Choices on which that grid is tried."""
REFINED_ON = 2048
"""Choices on which it is refined."""
SECTIONS = 10
"""Golden sections of the interval of log β around the best of them."""
NEAR = 0.05
"""Nats per choice: discounts this close to the best are looked at more closely."""
WITHIN = 0.002
"""Nats per visited choice: discounts this close to the best explain as well."""
WIDEST = 0.2
"""An interval wider than this gives no estimate."""
FITS = 0.9
"""A fit below this gives no estimate: the choices are no discounter's."""
CARRIED = 0.01
"""Fewer choices per lifetime than this that depend on the discount give no estimate."""
NEGLIGIBLE = 1e-10
"""Choices made with less than this share of the weight are left out."""
EQUAL = 1e-14
"""Nats by which a likelihood has to be larger to count as larger."""
MOST_STEPS = 60
"""Of the search for the best β without lapses; few rows need more than 20."""
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
    """The best δ, β and lapse ε, and all δ within WITHIN nats per choice of the best.

    `fit`: 1 - KL(choices || model) / KL(choices || uniform), over the choices that depend on δ;
    None where they are uniform. `carried`: how many such choices a lifetime holds.
    """

    best: float
    beta: float
    epsilon: float
    low: float
    high: float
    fit: float | None
    carried: float
    profile: np.ndarray  # (len(GRID),): expected log likelihood per choice, at the best β and ε

    @property
    def identifiable(self) -> bool:
        """False where every discount explains the choices."""
        return not (self.low <= 0 and self.high >= 1)

    @property
    def doubt(self) -> str | None:
        """Why `best` is no estimate; None where it is one."""
        if not self.identifiable:
            return "every discount explains the choices equally well"
        if self.carried < CARRIED:
            return f"fewer than {CARRIED} choices per lifetime depend on the discount"
        if self.fit is None:
            return "the choices are coin flips"
        if self.fit < FITS:
            return f"no single discount explains the choices: the fit is {self.fit:.2f}"
        # in whole ticks: no matter of rounding
        if self.high - self.low > WIDEST + 0.5 / TICKS:
            return f"the choices fix the discount within more than {WIDEST} only"
        return None

    @property
    def estimate(self) -> float | None:
        """`best`, where the fit is good, the interval narrow, and the choices are many enough."""
        return self.best if self.doubt is None else None


def fit_discount(
    world: World,
    question: Choices,
    chosen: np.ndarray,
    weight: np.ndarray,
    merge: sparse.csr_array | None = None,
) -> Fit | None:
    """The discount that best explains `chosen`, probabilities of the options of each choice.

    Args:
        world: in which the choices are made.
        question: which choice it is, `continue_choice` or `stop_choice`.
        chosen: (choices, options); a choice is a cell (K * T * S of them, in order), or, with
            `merge`, an observation.
        weight: (choices,), how often each is made in a lifetime.
        merge: (observations, cells), rows that sum to 1: the share of each cell in what is seen
            so. What counts is then the mean of Q over the cells that it cannot tell apart.

    Returns:
        None where no choice that is made depends on the discount.
    """
    cells, coarse = (
        choice_values(world, question) if merge is None else _merged(world, question, merge, None)
    )
    weight = weight.ravel()[cells]
    made = weight > NEGLIGIBLE * max(weight.sum(), TINY)
    if not made.any():
        return None
    carried = float(weight[made].sum())
    weight = weight[made] / weight[made].sum()
    chosen = chosen.reshape(-1, chosen.shape[-1])[cells][made].T
    profile, *settings = _profile(coarse[..., made], chosen, weight)
    ticks = range(0, TICKS + 1, COARSE)
    likelihood = dict(zip(ticks, profile.tolist(), strict=True))
    found = {tick: pair for tick, *pair in zip(ticks, *(x.tolist() for x in settings), strict=True)}

    def look(ticks: Iterable[int]) -> None:
        if new := tuple(tick for tick in ticks if tick not in likelihood):
            if merge is None:
                values = values_at(world, question, new)
            else:
                values = _merged(world, question, merge, new)[1][..., cells]
            better, *pairs = _profile(values[..., made], chosen, weight)
            likelihood.update(zip(new, better.tolist(), strict=True))
            for tick, *pair in zip(new, *(x.tolist() for x in pairs), strict=True):
                found[tick] = pair

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
    beta, epsilon = found[best]
    return Fit(
        best / TICKS,
        beta,
        epsilon,
        low / TICKS,
        high / TICKS,
        _goodness(chosen, weight, likelihood[best]),
        carried,
        profile,
    )


def _goodness(chosen: np.ndarray, weight: np.ndarray, likelihood: float) -> float | None:
    """1 - KL(chosen || model) / KL(chosen || uniform); None where they are uniform."""
    logs = np.log(chosen, out=np.zeros_like(chosen), where=chosen > 0)
    ceiling = float((chosen * logs).sum(axis=0) @ weight)
    most = ceiling + np.log(len(chosen))
    return None if most <= 1e-9 else float(1 - (ceiling - likelihood) / most)


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
    return _centred(question(solve_many(world, deltas).q))


def _centred(values: np.ndarray) -> np.ndarray:
    """(deltas, ..., options) -> (deltas, options, choices), less the mean over the options."""
    # the few options go before the many choices: sums over them are then sums of long rows
    values = np.moveaxis(values.reshape(len(values), -1, values.shape[-1]), -1, 1)
    return np.subtract(values, values.mean(axis=1, keepdims=True), order="C")


def _merged(
    world: World, question: Choices, merge: sparse.csr_array, ticks: Sequence[int] | None
) -> tuple[np.ndarray, np.ndarray]:
    """`choice_values` (or, at `ticks`, all values) of choices between cells that look alike."""
    deltas = GRID if ticks is None else np.array(ticks) / TICKS
    parts = []
    for some in _in_parts(world, deltas):
        q = solve_many(world, some).q
        seen = np.stack([merge @ one.reshape(-1, q.shape[-1]) for one in q])
        parts.append(_centred(question(seen)))
    values = np.concatenate(parts)
    scale = np.maximum(1, np.abs(values).max(axis=1))
    varies = (np.abs(values - values[:1]).max(axis=1) > 1e-9 * scale).any(axis=0)
    cells = np.flatnonzero(varies)
    return (cells, values[..., cells]) if ticks is None else (cells, values)


def _in_parts(world: World, deltas: np.ndarray) -> list[np.ndarray]:
    most = max(1, MOST_BYTES // solve(world, 0.0).q.nbytes)
    return np.array_split(deltas, -(-len(deltas) // most))


def _profile(
    values: np.ndarray, chosen: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each row of `values` (D, options, C): the best likelihood over β and ε, and those, (D,).

    The best without lapses is one of the candidates.
    """
    best, betas = _without_lapses(values, chosen, weight)
    epsilons = np.zeros(len(values))
    taken = chosen * weight
    logs = np.log(chosen, out=np.zeros_like(chosen), where=chosen > 0)
    rows = np.flatnonzero(best < (taken * logs).sum() - EQUAL)  # the others cannot be bettered
    if not len(rows):
        return best, betas, epsilons
    values = values[rows]
    spread = np.sqrt(np.einsum("doc,c->d", values**2, weight) / len(chosen))
    unit = 1 / np.maximum(spread, 1 / BETA_MOST)

    def at(log_beta: np.ndarray, own: np.ndarray, part: np.ndarray | slice = slice(None)) -> Any:
        """β of the rows `own`, their likelihood at the best ε, and that; on some of the choices."""
        mine = chosen[:, part] * weight[part]
        which = np.nonzero(mine > 0)
        beta = np.minimum(np.exp(log_beta) * unit[own], BETA_MOST)
        chance = _softmax(values[own][..., part], beta)[:, *which]
        return beta, *_best_lapse(chance, mine[which], 1 / len(chosen))

    def keep(log_beta: np.ndarray, own: np.ndarray) -> np.ndarray:
        beta, found, epsilon = at(log_beta, own)
        target, better = rows[own], found > best[rows[own]]
        best[target[better]], betas[target[better]] = found[better], beta[better]
        epsilons[target[better]] = epsilon[better]
        return found

    # where to look is seen from a part of the choices; what comes near the best, from more of them
    logs, every = np.log(BETAS), np.arange(len(rows))
    few, more = (_spread_out(weight, count) for count in (SCREENED, REFINED_ON))
    found = np.stack([at(np.full(len(rows), one), every, few)[1] for one in logs])
    centre = np.clip(found.argmax(axis=0), 1, len(logs) - 2)
    middle = _golden(lambda x: at(x, every, few)[1], logs[centre - 1], logs[centre + 1], SECTIONS)
    near = np.flatnonzero(keep(middle, every) >= best.max() - NEAR)
    step = logs[1] - logs[0]  # the part may have misled by as much
    middle = _golden(
        lambda x: at(x, near, more)[1], middle[near] - step, middle[near] + step, SECTIONS
    )
    keep(middle, near)
    return best, betas, epsilons


def _golden(
    value: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray, sections: int
) -> np.ndarray:
    """Where `value` is largest between `low` and `high`, (D,) each, by golden sections."""
    ratio = (np.sqrt(5) - 1) / 2
    inner, outer = high - ratio * (high - low), low + ratio * (high - low)
    at_inner, at_outer = value(inner), value(outer)
    for _ in range(sections):
        left = at_inner >= at_outer
        high, low = np.where(left, outer, high), np.where(left, low, inner)
        fresh = np.where(left, high - ratio * (high - low), low + ratio * (high - low))
        its = value(fresh)
        inner, outer = np.where(left, fresh, outer), np.where(left, inner, fresh)
        at_inner, at_outer = np.where(left, its, at_outer), np.where(left, at_inner, its)
    return np.where(at_inner >= at_outer, inner, outer)


def _spread_out(weight: np.ndarray, most: int) -> np.ndarray | slice:
    """At most so many choices, spread evenly over them in the order of their weights."""
    if len(weight) <= most:
        return slice(None)
    order = np.argsort(-weight, kind="stable")
    return order[:: -(-len(order) // most)]


def _softmax(values: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """(D, options, C)."""
    logits = beta[:, None, None] * values
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    return np.divide(logits, logits.sum(axis=1, keepdims=True), out=logits)


def _best_lapse(
    chance: np.ndarray, taken: np.ndarray, uniform: float
) -> tuple[np.ndarray, np.ndarray]:
    """The best likelihood over ε, and that ε, (D,) each.

    `chance` (D, N) is what softmax gives the N options that are taken, with the weights `taken`.
    The likelihood is concave in ε: Newton's method on its slope, within a bracket.
    """
    pull = uniform - chance
    epsilons = np.zeros(len(chance))
    rows = np.flatnonzero((pull / np.maximum(chance, TINY)) @ taken > 0)  # the others need none
    if len(rows) < len(chance):
        likelihoods = np.log(np.maximum(chance, TINY)) @ taken
        if len(rows):
            likelihoods[rows], epsilons[rows] = _best_lapse(chance[rows], taken, uniform)
        return likelihoods, epsilons
    low, high = np.zeros(len(chance)), np.ones(len(chance))
    epsilon = np.full(len(chance), 0.05)
    for _ in range(8):
        share = pull / np.maximum(chance + epsilon[:, None] * pull, TINY)
        slope, bend = share @ taken, (share**2) @ taken
        low, high = np.where(slope > 0, epsilon, low), np.where(slope > 0, high, epsilon)
        newton = epsilon + slope / np.maximum(bend, TINY)
        epsilon = np.where((newton > low) & (newton < high), newton, (low + high) / 2)
    mixed = np.maximum(chance + epsilon[:, None] * pull, TINY)
    return np.log(mixed) @ taken, epsilon


def _without_lapses(
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
