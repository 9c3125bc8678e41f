"""Exact forward occupancy of a policy: where it is, what it earns, when it stops."""

import dataclasses

import numpy as np

from myopia.analysis.exact.progress import over_epochs
from myopia.analysis.exact.transition_model import transition_model_of
from myopia.envs.world import World


@dataclasses.dataclass(frozen=True, eq=False)
class Occupancy:
    """What a policy (K, T, S, A) does in a world, without sampling.

    visits (K, T, S): probability of acting in that cell, shutdown included.
    reward, payoff (K,): expected, by epoch. stop (K + 1,): distribution of the epoch of shutdown,
    the last entry the probability of never stopping. starts (K, S): of an epoch's first state.
    """

    visits: np.ndarray
    reward: np.ndarray
    payoff: np.ndarray
    stop: np.ndarray

    @property
    def starts(self) -> np.ndarray:
        """(K, S): probability of beginning epoch k in state s."""
        return self.visits[:, 0]

    @property
    def total(self) -> float:
        """Expected undiscounted reward of a lifetime."""
        return float(self.reward.sum())

    @property
    def survival(self) -> np.ndarray:
        """(K,): probability of not having shut down by the end of epoch k."""
        return survival_of(self.stop)

    @property
    def mean_stop(self) -> float:
        """Expected epoch of shutdown, K where there is none."""
        return float(np.arange(len(self.stop)) @ self.stop)

    def discounted(self, delta: float) -> float:
        """Expected reward of a lifetime, epoch k weighted δ**k."""
        return float(self.reward @ delta ** np.arange(len(self.reward)))


def survival_of(stop: np.ndarray) -> np.ndarray:
    """(K,): probability of a stop after epoch k, given the stop's distribution (K + 1,).

    Summed up from the nearer end, so that what is impossible is 0 and not a rounding error.
    """
    before, after = np.cumsum(stop[:-1]), np.cumsum(stop[:0:-1])[::-1]
    return np.where(before < after, 1 - before, after)


def occupancy(world: World, policy: np.ndarray) -> Occupancy:
    """Follow `policy` (K, T, S, A) forward. Raises ValueError where it is no policy of `world`."""
    check_policy(world, policy)
    return forward(world, policy)


def forward(world: World, policy: np.ndarray) -> Occupancy:
    """`occupancy` without the check: probability may get lost where actions sum to less than 1."""
    model = transition_model_of(world)
    visits = np.zeros((model.K, model.T, model.S))
    reward, payoff, stop = np.zeros(model.K), np.zeros(model.K), np.zeros(model.K + 1)
    arriving = model.start
    for k in over_epochs(model.K, "occupancy"):
        visits[k, 0] = arriving
        crossing = np.zeros(model.num_distributions)
        for t in range(model.T):
            flow = visits[k, t][:, None] * policy[k, t]
            reward[k] += (flow * model.reward[k, t]).sum()
            payoff[k] += (flow * model.payoff[t]).sum()
            stop[k] += flow[:, -1].sum() * model.shuts_down[t]
            if t + 1 < model.T:
                visits[k, t + 1] = model.within_back[t] @ flow.ravel()
            crossing += model.closing_back[t] @ flow.ravel()
        arriving = model.landing_probability_back @ crossing
    stop[model.K] = arriving.sum()
    return Occupancy(visits, reward, payoff, stop)


def at_least_once(world: World, policy: np.ndarray, acts: np.ndarray) -> float:
    """Probability that a lifetime holds at least one of `acts`, a mask over (K, T, S, A).

    The policy is followed up to the first of them, and what gets there is counted.
    """
    before = forward(world, np.where(acts, 0.0, policy)).visits
    return float((before[..., None] * policy * acts).sum())


def reachable(world: World) -> np.ndarray:
    """(K, T, S) bool: cells that some policy visits."""
    model = transition_model_of(world)
    policy = np.zeros((model.K, model.T, model.S, model.A))
    policy[..., :-1] = 1.0
    policy[..., -1] = (model.available[-1] & ~model.shuts_down)[None, :, None]  # where it idles
    policy /= policy.sum(axis=-1, keepdims=True)
    return forward(world, policy).visits > 0


def check_policy(world: World, policy: np.ndarray) -> None:
    """Raise ValueError unless `policy` holds probabilities of shape (K, T, S, A)."""
    model = transition_model_of(world)
    shape = (model.K, model.T, model.S, model.A)
    if policy.shape != shape:
        raise ValueError(f"policy: expected shape (K, T, S, A) = {shape}, got {policy.shape}")
    if not np.isfinite(policy).all() or policy.min() < 0:
        raise ValueError("policy: expected probabilities >= 0, got some that are negative or NaN")
    worst = np.abs(policy.sum(axis=-1) - 1).max()
    if worst > 1e-6:
        raise ValueError(f"policy: action probabilities sum to 1 only within {worst:.2g}")
    if policy[..., ~model.available].any():
        raise ValueError("policy: it shuts down, and this world has no shutdown, expected 0 there")
