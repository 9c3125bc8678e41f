"""The best return that a policy without memory can reach on what the agent sees.

Where the observation tells the cell it is the lifetime oracle's. Else the problem is a partially
observable one without memory, which is hard in general (Littman 1994): what is found is a lower
bound, the informed optimum an upper one.
"""

import dataclasses
import functools

import numpy as np
import scipy.sparse as sparse

from myopia.analysis.exact.observation import hides_cell, seen_as
from myopia.analysis.exact.occupancy import forward
from myopia.analysis.exact.oracle import oracle_policy, solve, start_value
from myopia.analysis.exact.progress import over_epochs
from myopia.analysis.exact.transition_model import transition_model_of
from myopia.envs.observer import observer_of
from myopia.envs.world import World

RANDOM_STARTS = 7
STEPS = 200
"""Of one ascent at most."""
WORK = 2e9
"""Entries of transition matrices that one search may touch: about a minute on one thread."""
SEED = 0


@dataclasses.dataclass(frozen=True, eq=False)
class Best:
    """`found`: a return that a policy of the observation has; `bound`: none has more."""

    found: float
    bound: float
    policy: np.ndarray  # (O, A), of the return `found`


def observation_optimal(world: World, own: np.ndarray | None = None) -> Best:
    """The best policy of what is observed, by exact-gradient ascent from 12 starts, then rounded.

    `own` (O, A): the judged agent's policy (see `observed_policy`), from which the search starts,
    too. What does not depend on it is kept by world.
    """
    best = _search(world)
    if own is None or not hides_cell(world):
        return best
    climb = _Climb(world)
    found, policy = climb.ascend(np.maximum(own, 1e-6))
    return best if best.found >= found else dataclasses.replace(best, found=found, policy=policy)


@functools.lru_cache(maxsize=16)
def _search(world: World) -> Best:
    bound = start_value(world, solve(world, 1.0).v[0, 0])
    climb = _Climb(world)
    if not hides_cell(world):
        return Best(bound, bound, climb.projected(oracle_policy(world, 1.0)))
    rng = np.random.default_rng(SEED)
    shape = (climb.observations, climb.model.A)
    starts = [np.ones(shape)]
    starts += [climb.projected(oracle_policy(world, delta)) + 1e-3 for delta in (0.0, 0.5, 1.0)]
    starts += [rng.dirichlet(np.ones(shape[1]), shape[0]) for _ in range(RANDOM_STARTS)]
    found, policy = max((climb.ascend(start) for start in starts), key=lambda pair: pair[0])
    return Best(min(found, bound), bound, policy)


class _Climb:
    """Ascent in the space of policies (O, A) of the observation."""

    def __init__(self, world: World) -> None:
        self.world, self.model, self.seen = world, transition_model_of(world), seen_as(world)
        self.observations = observer_of(world).count
        model = self.model
        entries = sum(matrix.nnz for matrix in (*model.within, *model.closing))
        touched = model.K * (4 * entries + 10 * model.T * model.S * model.A)
        self.steps = int(np.clip(WORK / (touched * (RANDOM_STARTS + 5)), 10, STEPS))

    def projected(self, policy: np.ndarray) -> np.ndarray:
        """A policy of the cells (K, T, S, A) as one of the observation: averaged by visits."""
        visits = forward(self.world, policy).visits.ravel() + 1e-9
        weight = self.seen * visits
        total = np.asarray(weight.sum(axis=1)).ravel()
        rows = weight @ policy.reshape(len(visits), -1)
        uniform = np.broadcast_to(self.model.available / self.model.available.sum(), rows.shape)
        return np.where(total[:, None] > 0, rows / np.maximum(total, 1e-300)[:, None], uniform)

    def ascend(self, start: np.ndarray) -> tuple[float, np.ndarray]:
        """The return and the policy at the end: the better of the last one and it, rounded.

        Natural-gradient steps (Kakade 2002; for a softmax in a table, the logits move by the
        advantages), each as long as the return rises.
        """
        policy = start * self.model.available
        policy /= policy.sum(axis=1, keepdims=True)
        value, advantage = self.look(policy)
        length = 1.0 / max(np.abs(advantage).max(), 1e-12)
        still = 0
        for _ in range(self.steps):
            logits = np.log(np.maximum(policy, 1e-300)) + length * advantage
            tried = np.exp(logits - logits.max(axis=1, keepdims=True)) * self.model.available
            tried /= tried.sum(axis=1, keepdims=True)
            better, its = self.look(tried)
            if better > value:
                still = still + 1 if better - value < 1e-7 * max(1, abs(value)) else 0
                policy, value, advantage, length = tried, better, its, 2 * length
                if still > 3:
                    break
            else:
                length /= 4
                if length * np.abs(advantage).max() < 1e-6:
                    break
        rounded = self.rounded(policy)
        return max((value, policy), rounded, key=lambda pair: pair[0])

    def rounded(self, policy: np.ndarray) -> tuple[float, np.ndarray]:
        """The likeliest actions, then one observation at a time changed while the return rises."""
        hard = np.zeros_like(policy)
        hard[np.arange(len(policy)), policy.argmax(axis=1)] = 1
        value, gain = self.look(hard, weighted=True)
        for _ in range(self.steps):
            order = np.argsort(-gain.max(axis=1))[:3]
            for row in order[gain[order].max(axis=1) > 1e-12]:
                tried = hard.copy()
                tried[row] = 0
                tried[row, gain[row].argmax()] = 1
                better, its = self.look(tried, weighted=True)
                if better > value + 1e-12:
                    hard, value, gain = tried, better, its
                    break
            else:
                break
        return value, hard

    def look(self, policy: np.ndarray, weighted: bool = False) -> tuple[float, np.ndarray]:
        """The return of a policy (O, A), and its advantages (O, A); `weighted` by visits."""
        model = self.model
        shape = (model.K, model.T, model.S, model.A)
        table = (self.seen.T @ policy).reshape(shape)
        followed = forward(self.world, table)
        q = self._action_values(table)
        weight: sparse.csr_array = self.seen * followed.visits.ravel()
        total = np.asarray(weight.sum(axis=1)).ravel()
        mean = weight @ q.reshape(-1, model.A)
        if not weighted:
            mean = mean / np.maximum(total, 1e-12)[:, None]
        mean = np.where(model.available, mean, 0.0)
        advantage = mean - (policy * mean).sum(axis=1, keepdims=True)
        return followed.total, np.where(model.available, advantage, 0.0)

    def _action_values(self, table: np.ndarray) -> np.ndarray:
        """Q of the policy itself, (K, T, S, A)."""
        model, q = self.model, np.empty(table.shape)
        following = np.zeros(model.S)
        for k in over_epochs(model.K, "best policy of what is seen", backward=True):
            landed, later = model.landing_probability @ following, np.zeros(model.S)
            for t in reversed(range(model.T)):
                q[k, t] = model.action_values(k, t, later, landed)
                later = (table[k, t] * q[k, t]).sum(axis=1)
            following = later
        return q
