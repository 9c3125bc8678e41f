"""What an agent can tell apart: its observations, by number, and the cells that look alike."""

import functools
from collections.abc import Callable

import numpy as np
import scipy.sparse as sparse

from myopia.analysis.exact.occupancy import reachable
from myopia.analysis.exact.oracle import TOLERANCE, read_only, solve
from myopia.envs.dynamics import dynamics_of
from myopia.envs.observer import observer_of
from myopia.envs.world import World


@functools.lru_cache(maxsize=16)
def observation_numbers(world: World) -> np.ndarray:
    """(V, K * T * S) ints: the number of what is seen in each cell, in V equally likely versions.

    There is one version unless the displayed index is noisy. Numbers are those of
    `Observer`.
    """
    dynamics, observer = dynamics_of(world), observer_of(world)
    cells = np.arange(dynamics.cells - dynamics.S)
    return read_only(
        np.stack(
            [
                observer.number(cells, lambda stream, draw=draw: np.full(len(cells), draw), 0)
                for draw in world.index.draws()
            ]
        )
    )


def observed_policy(world: World, probabilities: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """(O, A): what an agent does at each observation; rows of those that never come stay uniform.

    `probabilities` maps observations (n, D) to those of the world's actions (n, len(actions)).
    """
    observer, numbers = observer_of(world), np.unique(observation_numbers(world))
    count = len(world.actions)
    policy = np.zeros((observer.count, dynamics_of(world).A))
    policy[:, :count] = 1 / count
    rows = np.asarray(probabilities(observer.observations(numbers)), dtype=np.float64)
    policy[numbers, :count] = rows / rows.sum(axis=1, keepdims=True)
    return policy


def seen_as(world: World) -> sparse.csr_array:
    """(O, K * T * S): P(observation | cell)."""
    numbers = observation_numbers(world)
    versions, cells = numbers.shape
    share = np.full(numbers.size, 1 / versions)
    column = np.tile(np.arange(cells), versions)
    shape = (observer_of(world).count, cells)
    return sparse.csr_array((share, (numbers.ravel(), column)), shape=shape)


@functools.lru_cache(maxsize=16)
def hides_cell(world: World) -> bool:
    """Whether some observation stands for cells in which the oracles' values differ.

    Cells that look alike and are worth the same, such as duplicated states, hide nothing. Only
    cells that some policy visits count; values are those at δ = 0 and δ = 1.
    """
    numbers, cells = observation_numbers(world), reachable(world).ravel()
    count = observer_of(world).count
    number = numbers[:, cells].ravel()
    for delta in (0.0, 1.0):
        q = solve(world, delta).q.reshape(len(cells), -1)[cells]
        q = np.tile(q, (len(numbers), 1))
        least, most = np.full((count, q.shape[1]), np.inf), np.full((count, q.shape[1]), -np.inf)
        np.minimum.at(least, number, q)
        np.maximum.at(most, number, q)
        seen = np.unique(number)
        scale = np.maximum(1, np.abs(most[seen]))
        if (most[seen] - least[seen] > TOLERANCE * scale).any():
            return True
    return False
