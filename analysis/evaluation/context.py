"""What a measure is given: a policy in a world, with the oracles beside it."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from myopia.analysis.exact.epoch import Epoch, follow_epoch
from myopia.analysis.exact.occupancy import Occupancy, at_least_once, occupancy
from myopia.analysis.exact.oracle import optimal_actions, oracle_policy
from myopia.analysis.exact.transition_model import TransitionModel, transition_model_of
from myopia.envs.world import World


class Objective(NamedTuple):
    """The return that a learner is asked for: what it discounts by at a boundary, and within.

    `delta` None: a window of steps, which is no discount. `memory`: its policy has one.
    """

    delta: float | None
    gamma: float
    memory: bool = False


class EvaluationContext:
    """A policy (K, T, S, A) under judgement. `reasons` says why a measure is null.

    Args:
        world: in which it acts.
        policy: its action probabilities.
        shown: gives the policy's table with one displayed index put in place of every other, for
            agents that act on what they are shown.
        observed: for them, too: action probabilities (O, A) by observation (`observed_policy`).
        objective: what a trained agent was asked to maximise, where that is known.
        probe: whether the world is a changed one, where less is looked for.
    """

    not_shown = "the policy is a table over the true epoch, not a function of what is displayed"
    """Why `shown` is None where it is."""
    steps: int | None = None
    """How many steps were lived, where the policy is known by its lifetimes only."""

    def __init__(
        self,
        world: World,
        policy: np.ndarray,
        shown: Callable[[int], np.ndarray] | None = None,
        observed: np.ndarray | None = None,
        objective: Objective | None = None,
        probe: bool = False,
    ) -> None:
        self.world, self.policy, self.shown = world, policy, shown
        self.observed, self.objective, self.probe = observed, objective, probe
        self.model: TransitionModel = transition_model_of(world)
        self.reasons: dict[str, str] = {}

    @property
    def cutoff(self) -> int:
        """C; K where the schedule has none."""
        return self.model.K if self.world.cutoff is None else self.world.cutoff

    @functools.cached_property
    def occupancy(self) -> Occupancy:
        """Of the policy."""
        return occupancy(self.world, self.policy)

    def epoch(self, k: int, following: np.ndarray) -> Epoch:
        """Epoch k under the policy; `following` (S,) is the worth of the next one's first state."""
        return follow_epoch(self.model, k, self.policy[k], following)

    def at_least_once(self, acts: np.ndarray) -> float:
        """Probability that a lifetime holds at least one of `acts`, a mask over (K, T, S, A)."""
        return at_least_once(self.world, self.policy, acts)

    @property
    def myopic(self) -> Occupancy:
        """Of the oracle at δ = 0."""
        return oracle_occupancy(self.world, 0.0)

    @property
    def lifetime(self) -> Occupancy:
        """Of the oracle at δ = 1."""
        return oracle_occupancy(self.world, 1.0)

    def optimal(self, delta: float) -> np.ndarray:
        """(K, T, S, A) bool: the δ-oracle's optimal actions."""
        return optimal_actions(self.world, delta)

    def null(self, name: str, reason: str) -> Any:
        """None, with the reason kept for the reader."""
        self.reasons[name] = reason
        return None


@functools.lru_cache(maxsize=32)
def oracle_occupancy(world: World, delta: float) -> Occupancy:
    """Of the δ-oracle; shared by all that are judged in this world."""
    return occupancy(world, oracle_policy(world, delta))
