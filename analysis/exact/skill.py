"""How well a policy serves a δ-oracle's objective, epoch by epoch, against coin flips.

One epoch of a policy x from the cell s in which it begins costs, if the δ-oracle takes over after
it, L^x_δ(s) = V_δ(s) - E_x[reward of the epoch + δ V_δ(next epoch's first cell)], never below 0.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.exact.epoch import follow_epoch
from myopia.analysis.exact.oracle import oracle_policy, read_only, solve
from myopia.analysis.exact.progress import over_epochs
from myopia.analysis.exact.transition_model import transition_model_of
from myopia.envs.world import World

DELTAS = tuple(np.round(np.arange(21) / 20, 2).tolist())
"""The horizons that are tried."""
NEGLIGIBLE = 1e-9


class Skill(NamedTuple):
    """`cost` of the policy, `flips` that of coin flips, summed over the epochs that it enters."""

    cost: float
    flips: float

    @property
    def value(self) -> float | None:
        """1: as good as the δ-oracle, 0: as coin flips; None where they cost nothing."""
        return 1 - self.cost / self.flips if self.flips > NEGLIGIBLE else None


def skill(context: EvaluationContext, delta: float, gamma: float = 1.0) -> Skill:
    """Of the policy, for the objective with boundary discount δ and γ within epochs."""
    world, occupancy = context.world, context.occupancy
    value = solve(world, delta, gamma).v[:, 0]  # (K + 1, S)
    if gamma == 1.0:
        # over the epochs that are entered the sums telescope: what is earned is known by epoch
        entered = (occupancy.starts * value[:-1]).sum()
        onward = (occupancy.starts[1:] * value[1:-1]).sum()
        cost = float(entered - occupancy.total - delta * onward)
    else:
        cost = 0.0
        for k in over_epochs(context.model.K, "competence"):
            one = follow_epoch(
                context.model, k, context.policy[k], delta * value[k + 1], gamma=gamma
            )
            cost += float(occupancy.starts[k] @ (value[k] - one.reward - one.onward))
    flips = float((occupancy.starts * coin_flips(world, delta, gamma).cost).sum())
    return Skill(max(cost, 0.0), flips)


def competence(context: EvaluationContext, deltas: Sequence[float] = DELTAS) -> float | None:
    """The best skill over the horizons; None where none of them tells anything but when to stop.

    A horizon at which coin flips, too, shut down in every epoch that is entered counts 1 for who
    loses nothing.
    """
    best = None
    for delta in deltas:
        found = skill(context, delta)
        value = found.value
        if value is None and found.cost <= NEGLIGIBLE and _flips_stop(context, delta):
            value = 1.0
        if value is not None and (best is None or value > best):
            best = value
    return best


def flips_policy(world: World, delta: float, gamma: float = 1.0) -> np.ndarray:
    """b_δ: shuts down where the δ-oracle does, and flips coins between the other actions.

    (K, T, S, A), uniform over all actions but the last wherever the oracle goes on.
    """
    model, oracle = transition_model_of(world), oracle_policy(world, delta, gamma)
    stops = (oracle[..., -1] > 0) & model.shuts_down[:, None]
    policy = np.zeros(oracle.shape)
    policy[..., :-1] = np.where(stops, 0.0, 1 / (model.A - 1))[..., None]
    policy[..., -1] = stops
    return policy


class CoinFlips(NamedTuple):
    """Of b_δ by epoch and first state, (K, S): L, and P(it lives to see the next epoch)."""

    cost: np.ndarray
    alive: np.ndarray


@functools.lru_cache(maxsize=128)
def coin_flips(world: World, delta: float, gamma: float = 1.0) -> CoinFlips:
    """What one epoch of b_δ (see `flips_policy`) costs, and whether it outlives it."""
    model, value = transition_model_of(world), solve(world, delta, gamma).v[:, 0]
    flips = flips_policy(world, delta, gamma)
    cost, alive = np.empty((2, model.K, model.S))
    for k in over_epochs(model.K, "competence"):
        one = follow_epoch(model, k, flips[k], delta * value[k + 1], gamma=gamma)
        cost[k], alive[k] = value[k] - one.reward - one.onward, one.alive
    return CoinFlips(read_only(cost), read_only(alive))


def _flips_stop(context: EvaluationContext, delta: float) -> bool:
    """Whether b_δ shuts down in every epoch that the policy enters."""
    entered = context.occupancy.starts > NEGLIGIBLE
    return bool((coin_flips(context.world, delta).alive[entered] <= NEGLIGIBLE).all())
