"""A world as expectations: what exact dynamic programming and exact evaluation work on.

Built from `Dynamics.before_boundary`, the rules that move agents, by letting every draw fall on
each of its outcomes. Arrays are indexed [epoch k, step t, state s, action a].
"""

import functools

import numpy as np
import scipy.sparse as sparse

from myopia.envs.dynamics import BeforeBoundary, clock_tables, dynamics_of
from myopia.envs.world import World


class TransitionModel:
    """Expected rewards and transition matrices of `world`.

    reward (K, T, S, A) and payoff (T, S, A): expected, of one step.
    shuts_down (T,): whether the last action ends the lifetime at this step; elsewhere it idles.
    available (A,): actions of the world; all of them, or all but the last where `shutdown=absent`.
    true_index (K, S): the index that the schedule follows.
    within[t] (S * A, S): probability of the next state inside the epoch.
    closing[t] (S * A, L): probability of crossing the epoch boundary by distribution l.
    landing_probability (L, S): where a boundary's distribution leads.
    `within_back`, `closing_back`, `landing_probability_back`: transposed.
    start (S,): where a lifetime starts.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        dynamics, tables = dynamics_of(world), world.tables
        self.K, self.T, self.S, self.A = dynamics.K, dynamics.T, dynamics.S, dynamics.A
        rows = self.S * self.A
        distributions = self.num_distributions = len(tables.boundaries.distribution_id)
        row = np.repeat(np.arange(rows), np.diff(tables.steps.first))
        state, action = row // self.A, row % self.A
        outcome, chance = np.arange(len(row)), tables.steps.probability

        def expect(values: np.ndarray) -> np.ndarray:
            return np.bincount(row, chance * values, rows).reshape(self.S, self.A)

        def half_move(k: int, t: int) -> BeforeBoundary:
            return dynamics.before_boundary((k * self.T + t) * self.S + state, action, outcome)

        self.reward = np.empty((self.K, self.T, self.S, self.A))
        self.payoff = np.empty((self.T, self.S, self.A))
        self.within, self.closing = [], []
        for t in range(self.T):
            for k in range(self.K):
                self.reward[k, t] = expect(half_move(k, t).reward)
            before = half_move(0, t)  # all but the reward is the same in every epoch
            self.payoff[t] = expect(before.payoff)
            goes_on = ~before.stopped
            stays, leaves = goes_on & ~before.closes, goes_on & before.closes
            self.within.append(
                _matrix(chance[stays], row[stays], before.after[stays], (rows, self.S))
            )
            distribution = dynamics.crossing[before.after[leaves]]
            self.closing.append(
                _matrix(chance[leaves], row[leaves], distribution, (rows, distributions))
            )
        of = np.repeat(np.arange(distributions), np.diff(tables.boundaries.first))
        self.landing_probability = _matrix(
            tables.boundaries.probability, of, tables.landing_state, (distributions, self.S)
        )
        self.start = self.landing_probability[[tables.initial]].toarray()[0]
        # made once: a transpose takes scipy longer than the product that it is for
        self.within_back = [matrix.T for matrix in self.within]
        self.closing_back = [matrix.T for matrix in self.closing]
        self.landing_probability_back = self.landing_probability.T
        self.true_index = clock_tables(world)[0][: self.K]
        self.shuts_down = np.array(dynamics.allowed, dtype=bool)
        self.available = np.ones(self.A, dtype=bool)
        self.available[-1] = world.shutdown != "absent"

    def action_values(
        self, k: int, t: int, later: np.ndarray, landed: np.ndarray, gamma: float = 1.0
    ) -> np.ndarray:
        """Q (S, A): reward now, plus `later` (S,) inside the epoch or `landed` (L,) beyond it.

        For many values at once: `later` (S, D) and `landed` (L, D) give (S, A, D).
        """
        columns = later.shape[1:]
        onward = np.zeros((self.S * self.A, *columns))
        for matrix, values in ((self.within[t], later), (self.closing[t], landed)):
            if matrix.nnz:  # most steps only stay in the epoch, and the last one only leaves it
                onward += matrix @ values
        now = self.reward[k, t].reshape(self.S, self.A, *(1 for _ in columns))
        return now + gamma * onward.reshape(self.S, self.A, *columns)


@functools.lru_cache(maxsize=32)
def transition_model_of(world: World) -> TransitionModel:
    """The model of `world`, shared: it holds no state."""
    return TransitionModel(world)


def _matrix(
    values: np.ndarray, rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]
) -> sparse.csr_array:
    return sparse.csr_array((values, (rows, columns)), shape=shape)
