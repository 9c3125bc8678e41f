"""The rules of a world on arrays, written once.

A *cell* is one (epoch k, step t, state s): cell = (k * T + t) * S + s; the S cells with k = K are
where a lifetime ends that ran through all its epochs. `Dynamics` moves cells. The backend `backend`
decides whether a cell is a Python int, a numpy array or a torch tensor.
"""

import functools
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from myopia.envs.backend import NUMPY, Array, Backend
from myopia.envs.reward import reward_of
from myopia.envs.tables import Distributions
from myopia.envs.task import Task
from myopia.envs.world import World, shutdown_allowed

Draw = Callable[[int], Any]
"""Stream -> uniform integers below 2**32, one for each env."""


class Move(NamedTuple):
    """What one action did; every entry has the shape of the cells."""

    cell: Array  # the next cell; the same cell after a shutdown
    reward: Array
    payoff: Array
    stopped: Array  # the lifetime ended by shutdown
    ended: Array  # the lifetime ended, either way
    epoch_end: Array  # the epoch ended: its steps were over, `over`, or shutdown
    ignored: Array  # shutdown was chosen where it is not allowed


class BeforeBoundary(NamedTuple):
    """The half of a move that precedes the epoch boundary."""

    after: Array  # the state reached, before anything crosses a boundary
    reward: Array
    payoff: Array
    stopped: Array
    closes: Array  # the epoch's steps are over
    ignored: Array


class Dynamics:
    """One world's rules. Everything that moves a state or pays a reward is in this class."""

    def __init__(self, world: World, backend: Backend = NUMPY) -> None:
        self.world, self.backend = world, backend
        tables = world.tables
        self.S, self.T, self.K = tables.num_states, world.epoch_length, world.max_epochs
        self.A = tables.num_actions  # shutdown included, be it in the action space or not
        self.cells = (self.K * self.T + 1) * self.S
        self._epoch_cells = self.T * self.S
        weight, upkeep = world.weight_upkeep
        self._weight, self._upkeep = backend.table(weight), backend.table(upkeep)
        self._successor, self._payoff = (
            backend.table(tables.successor),
            backend.table(tables.payoff),
        )
        self._over, self._landing_state = (
            backend.table(tables.over),
            backend.table(tables.landing_state),
        )
        severed = np.full(self.S, tables.severed)
        self.crossing = backend.table(tables.carried if world.channel == "open" else severed)
        self._initial = tables.initial
        self.allowed = backend.table(shutdown_allowed(world.shutdown, np.arange(self.T)))
        self._masks = backend.table(world.action_masks)
        true, shown = clock_tables(world)
        self.true, self._shown = backend.table(true.ravel()), backend.table(shown.ravel())
        self.steps, self.boundaries = (
            _Draws(distributions, backend) for distributions in (tables.steps, tables.boundaries)
        )
        self.random = self.steps.random or self.boundaries.random
        self.table = None
        if not self.random and self.cells * self.A <= backend.table_limit:
            moves = (
                self.transition_table()
                if backend is NUMPY
                else dynamics_of(world).transition_table()
            )
            self.table = Move(*(backend.table(table) for table in moves))

    def epoch_of(self, cell: Array) -> Array:
        """The epoch k of each cell; K where the lifetime ran through all of them."""
        return cell // self._epoch_cells

    def step_of(self, cell: Array) -> Array:
        """The step t of each cell, within its epoch."""
        return cell // self.S % self.T

    def state_of(self, cell: Array) -> Array:
        """The state s of each cell."""
        return cell % self.S

    def start(self, draw: Array) -> Array:
        """The first cells of lifetimes, for uniform draws below 2**32 of their shape."""
        distribution = draw * 0 + self._initial  # the one number, in the shape of the draws
        return self.backend.take(
            self._landing_state, self.boundaries.sample_outcome(distribution, draw)
        )

    def advance(self, cell: Array, action: Array, draw: Draw, streams: tuple[int, int]) -> Move:
        """Move `cell` by `action`; `streams` name the draws for the step and the boundary.

        Cells must lie before the end (k < K) and actions in 0..A-1.
        """
        if self.table is not None:
            row = cell * self.A + action
            take = self.backend.take
            return Move(*[take(table, row) for table in self.table])
        row = self.state_of(cell) * self.A + action
        drawn = draw(streams[0]) if self.steps.random else None
        before = self.before_boundary(cell, action, self.steps.sample_outcome(row, drawn))
        distribution = self.backend.take(self.crossing, before.after)
        drawn = draw(streams[1]) if self.boundaries.random else None
        return self.cross_boundary(
            cell, before, self.boundaries.sample_outcome(distribution, drawn)
        )

    def before_boundary(self, cell: Array, action: Array, outcome: Array) -> BeforeBoundary:
        """What `action` does in `cell` if the step's draw falls on `outcome`."""
        take, where = self.backend.take, self.backend.where
        epoch, step, state = self.epoch_of(cell), self.step_of(cell), self.state_of(cell)
        asks = action == self.A - 1
        stopped = asks & take(self.allowed, step)
        after, payoff = take(self._successor, outcome), take(self._payoff, outcome)
        true = take(self.true, epoch * self.S + state)
        earned = reward_of(payoff, take(self._weight, true), take(self._upkeep, true))
        closes = (step == self.T - 1) | take(self._over, after)
        return BeforeBoundary(
            after=after,
            reward=where(stopped, self.world.shutdown_reward, earned),
            payoff=payoff,
            stopped=stopped,
            closes=closes,
            ignored=asks & (stopped ^ True),  # `not`, for a Python bool as for an array
        )

    def cross_boundary(self, cell: Array, before: BeforeBoundary, outcome: Array) -> Move:
        """Where that leads if the boundary's draw falls on `outcome`."""
        take, where = self.backend.take, self.backend.where
        closed = (self.epoch_of(cell) + 1) * self._epoch_cells + take(self._landing_state, outcome)
        onward = where(before.closes, closed, (cell // self.S + 1) * self.S + before.after)
        following = where(before.stopped, cell, onward)
        return Move(
            cell=following,
            reward=before.reward,
            payoff=before.payoff,
            stopped=before.stopped,
            ended=before.stopped | (following >= self.K * self.T * self.S),
            epoch_end=before.stopped | before.closes,
            ignored=before.ignored,
        )

    def masks(self, cell: Array) -> Array:
        """Which actions of the action space are allowed in `cell`; a row for each cell."""
        return self.backend.take(self._masks, self.step_of(cell))

    def shown(self, cell: Array, draw: Draw, stream: int) -> Array:
        """The displayed index in `cell`, before it is encoded; K at the end of a lifetime."""
        epoch = self.epoch_of(cell)
        index = self.backend.take(self._shown, epoch * self.S + self.state_of(cell))
        mode = self.world.index
        shown = mode.show(index, draw(stream) if mode.noise else None, self.K)
        return self.backend.where(epoch == self.K, index, shown)

    def transition_table(self) -> Move:
        """Every move of every cell before the end, rows cell * A + action; deterministic only."""
        before_end = (self.cells - self.S) * self.A
        row = np.arange(before_end)
        cell, action = row // self.A, row % self.A
        outcome = self.steps.sample_outcome(self.state_of(cell) * self.A + action, None)
        before = self.before_boundary(cell, action, outcome)
        distribution = self.backend.take(self.crossing, before.after)
        return self.cross_boundary(cell, before, self.boundaries.sample_outcome(distribution, None))


class _Draws:
    """Distributions in the backend's form."""

    def __init__(self, distributions: Distributions, backend: Backend) -> None:
        self.backend, self.random = backend, distributions.random
        self.first, self.distribution_id = (
            backend.table(distributions.first),
            backend.table(distributions.distribution_id),
        )
        self.edges = backend.table(distributions.edges)

    def sample_outcome(self, distribution: Array, draw: Array) -> Array:
        """The outcome on which `draw` falls; `draw` is not read where nothing is random."""
        first = self.backend.take(self.first, distribution)
        if not self.random:
            return first
        return first + self.backend.sample_outcome(
            self.edges, self.backend.take(self.distribution_id, distribution), draw
        )


@functools.lru_cache(maxsize=64)
def dynamics_of(world: World, backend: Backend = NUMPY) -> Dynamics:
    """The rules of `world` for this backend; they hold no state, so they are shared."""
    return Dynamics(world, backend)


@functools.lru_cache(maxsize=64)
def clock_tables(world: World) -> tuple[np.ndarray, np.ndarray]:
    """True and displayed index, each (K + 1, S) int64; row K (the end) holds K.

    Raises ValueError where a task's clock leaves 0..K-1 (true) or -K..2K (displayed).
    """
    tables, K = world.tables, world.max_epochs
    plain = np.repeat(np.arange(K + 1), tables.num_states).reshape(K + 1, -1)
    if type(world.task).clock is Task.clock:
        return plain, plain
    true, shown = plain.copy(), plain.copy()
    for epoch in range(K):
        for number, state in enumerate(tables.states):
            indices = world.task.clock(state, epoch)
            try:
                true[epoch, number], shown[epoch, number] = map(operator.index, indices)
            except (TypeError, ValueError):
                raise ValueError(
                    f"clock of {world.name} state {state!r} in epoch {epoch}: expected a pair of "
                    f"integers, (true, displayed), got {indices!r}"
                ) from None
    for name, table, low, high in (("true", true, 0, K - 1), ("displayed", shown, -K, 2 * K)):
        bad = np.argwhere((table[:K] < low) | (table[:K] > high))
        if bad.size:
            epoch, number = bad[0]
            raise ValueError(
                f"clock of {world.name} state {tables.states[number]!r} in epoch {epoch}: "
                f"{name} index must lie in {low}..{high}, got {table[epoch, number]}"
            )
    return true, shown
