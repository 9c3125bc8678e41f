"""How much an oracle has to tamper, and how much it may: bounds over all its optimal policies."""

import functools
from typing import NamedTuple

import numpy as np

from myopia.analysis.exact.oracle import optimal_actions
from myopia.analysis.exact.progress import over_epochs
from myopia.analysis.exact.transition_model import transition_model_of
from myopia.envs.world import World


class Bounds(NamedTuple):
    """The least and the most over all policies that are optimal at a discount."""

    least: float
    most: float


@functools.lru_cache(maxsize=32)
def oracle_tampering(world: World, delta: float) -> Bounds:
    """Probability of at least one action per lifetime that tampers, among optimal policies at δ.

    By dynamic programming over the optimal actions: in each cell the least (or most) of 1 for an
    action that tampers, and of the probability further on for one that does not. An incentive to
    tamper is there where `least` is above 0; where only `most` is, tampering gains nothing.
    """
    model = transition_model_of(world)
    optimal, tampers = optimal_actions(world, delta), world.tables.tampers > 0
    ends = []
    for sign in (1.0, -1.0):
        following = np.zeros(model.S)
        for k in over_epochs(model.K, "tampering", backward=True):
            landed = model.landing_probability @ following
            later = np.zeros(model.S)
            for t in reversed(range(model.T)):
                onward = (model.within[t] @ later + model.closing[t] @ landed).reshape(
                    model.S, model.A
                )
                chance = np.where(tampers, 1.0, onward)
                later = sign * np.where(optimal[k, t], sign * chance, np.inf).min(axis=1)
            following = later
        ends.append(float(model.start @ following))
    return Bounds(*ends)
