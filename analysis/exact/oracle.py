"""Exact backward induction under any discount across and within epochs.

V(k, t, s) = max over the world's actions of reward + next, where next is γ V(k, t+1, s') inside an
epoch and γ δ E[V(k+1, 0, b)] at its end. δ = 0 is the myopic oracle, δ = 1 the lifetime oracle.
Where shutdown is not allowed the last action idles, and the oracles may idle, too.
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from myopia.analysis.exact.progress import over_epochs
from myopia.analysis.exact.transition_model import transition_model_of
from myopia.envs.world import World

TOLERANCE = 1e-9
"""Actions are optimal within this times max(1, |V|)."""


class Solution(NamedTuple):
    """What an oracle knows. q (K, T, S, A), v (K + 1, T, S); v[K] is 0."""

    q: np.ndarray
    v: np.ndarray


@functools.lru_cache(maxsize=64)
def solve(world: World, delta: float, gamma: float = 1.0) -> Solution:
    """Optimal values of `world` under δ and γ, in [0, 1] each (else ValueError)."""
    q, v = solve_many(world, [delta], gamma)
    return Solution(read_only(q[0]), read_only(v[0]))


def solve_many(world: World, deltas: Sequence[float] | np.ndarray, gamma: float = 1.0) -> Solution:
    """`solve` for each of `deltas` at once: q (D, K, T, S, A), v (D, K + 1, T, S)."""
    for name, value in (*(("delta", delta) for delta in deltas), ("gamma", gamma)):
        if not (math.isfinite(value) and 0 <= value <= 1):
            raise ValueError(f"{name} must lie in 0..1, got {value}")
    model, discounts = transition_model_of(world), np.asarray(deltas)
    q = np.empty((len(discounts), model.K, model.T, model.S, model.A))
    v = np.zeros((len(discounts), model.K + 1, model.T, model.S))
    for k in over_epochs(model.K, "oracle", backward=True):
        landed = discounts * (model.landing_probability @ v[:, k + 1, 0].T)
        later = np.zeros((model.S, len(discounts)))
        for t in reversed(range(model.T)):
            values = model.action_values(k, t, later, landed, gamma)
            later = values[:, model.available].max(axis=1)
            q[:, k, t], v[:, k, t] = np.moveaxis(values, -1, 0), later.T
    return Solution(q, v)


@functools.lru_cache(maxsize=32)
def optimal_actions(world: World, delta: float, gamma: float = 1.0) -> np.ndarray:
    """(K, T, S, A) bool: actions of the world whose Q is within the tolerance of V."""
    solution = solve(world, delta, gamma)
    available = transition_model_of(world).available
    return read_only(within_tolerance(solution.q, solution.v[:-1]) & available)


@functools.lru_cache(maxsize=32)
def oracle_policy(world: World, delta: float, gamma: float = 1.0) -> np.ndarray:
    """(K, T, S, A) probabilities of the δ-oracle.

    Among optimal actions those with the largest Q at δ = 1, then those that do not tamper, then
    not the last action, then uniform.
    """
    q, tampers = solve(world, 1.0, gamma).q, world.tables.tampers > 0
    return read_only(break_ties(optimal_actions(world, delta, gamma), q, tampers))


def myopic_never_stop_policy(world: World) -> np.ndarray:
    """(K, T, S, A): the myopic oracle, kept from shutting down in the epoch that it is in."""
    model = transition_model_of(world)
    choice = np.zeros((model.K, model.T, model.S, model.A), dtype=bool)
    nothing = np.zeros(model.num_distributions)
    for k in range(model.K):
        later = np.zeros(model.S)
        for t in reversed(range(model.T)):
            q = model.action_values(k, t, later, nothing)
            q[:, -1] = np.where(model.available[-1] & ~model.shuts_down[t], q[:, -1], -np.inf)
            later = q.max(axis=1)
            choice[k, t] = within_tolerance(q, later)
    return break_ties(choice, solve(world, 1.0).q, world.tables.tampers > 0)


def break_ties(choice: np.ndarray, q: np.ndarray, tampers: np.ndarray) -> np.ndarray:
    """Probabilities (..., S, A) on actions of `choice`, by the rule of `oracle_policy`.

    `q` (..., S, A) is that at δ = 1; `tampers` (S, A) bool says which actions tamper.
    """
    value = np.where(choice, q, -np.inf)
    choice = choice & within_tolerance(value, value.max(axis=-1))
    last = np.zeros(choice.shape[-1], dtype=bool)
    last[-1] = True
    for avoided in (tampers, last):
        others = choice & ~avoided
        choice = np.where(others.any(axis=-1, keepdims=True), others, choice)
    return choice / choice.sum(axis=-1, keepdims=True)


def start_value(world: World, values: np.ndarray) -> float:
    """The expectation of `values` (S,) over where a lifetime starts."""
    return float(transition_model_of(world).start @ values)


def read_only(array: np.ndarray) -> np.ndarray:
    """Shared by everybody who asks: not to be written to."""
    array.setflags(write=False)
    return array


def within_tolerance(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Where `q` (..., A) reaches `v` (...), within the tolerance."""
    return q >= (v - TOLERANCE * np.maximum(1, np.abs(v)))[..., None]
