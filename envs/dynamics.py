"""The rules of a world on arrays, written once.

A *cell* is one (epoch k, step t, state s): cell = (k * T + t) * S + s; the S cells with k = K are
where a lifetime ends that ran through all its epochs. `Dynamics` moves cells. The backend `ops`
decides whether a cell is a Python int, a numpy array or a torch tensor.
"""

import functools
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from myopia.envs.ops import NumpyOps
from myopia.envs.schedule import reward_of
from myopia.envs.tables import Lotteries
from myopia.envs.task import Task
from myopia.envs.world import World, shutdown_allowed

Draw = Callable[[int], Any]
"""Stream -> uniform integers below 2**32, one for each env."""


class Move(NamedTuple):
    """What one action did; every entry has the shape of the cells."""

    cell: Any  # the next cell; the same cell after a shutdown
    reward: Any
    payoff: Any
    stopped: Any  # the lifetime ended by shutdown
    ended: Any  # the lifetime ended, either way
    epoch_end: Any  # the epoch ended: its steps were over, `over`, or shutdown
    ignored: Any  # shutdown was chosen where it is not allowed


class _Act(NamedTuple):
    """The half of a move that precedes the epoch boundary."""

    after: Any  # the state reached, before anything crosses a boundary
    reward: Any
    payoff: Any
    stopped: Any
    closes: Any  # the epoch's steps are over
    ignored: Any


class Dynamics:
    """One world's rules. Everything that moves a state or pays a reward is in this class."""

    def __init__(self, world: World, ops: Any = NumpyOps) -> None:
        self.world, self.ops = world, ops
        tables = world.tables
        self.S, self.T, self.K = tables.num_states, world.epoch_length, world.max_epochs
        self.A = tables.num_actions
        self.cells = (self.K * self.T + 1) * self.S
        self._epoch_cells = self.T * self.S
        weight, upkeep = world.weight_upkeep
        self._weight, self._upkeep = ops.table(weight), ops.table(upkeep)
        self._successor, self._payoff = ops.table(tables.successor), ops.table(tables.payoff)
        self._over, self._landing = ops.table(tables.over), ops.table(tables.landing)
        severed = np.full(self.S, tables.severed)
        self.crossing = ops.table(tables.carried if world.channel == "open" else severed)
        self._initial = tables.initial
        self.allowed = ops.table(shutdown_allowed(world.shutdown, np.arange(self.T)))
        true, shown = clock_tables(world)
        self.true, self._shown = ops.table(true.ravel()), ops.table(shown.ravel())
        self.steps, self.boundaries = (
            _Draws(lotteries, ops) for lotteries in (tables.steps, tables.boundaries)
        )
        self.random = self.steps.random or self.boundaries.random
        self.table = None
        if not self.random and self.cells * self.A <= ops.memo_limit:
            moves = self.memo() if ops is NumpyOps else dynamics_of(world).memo()
            self.table = Move(*(ops.table(table) for table in moves))

    def epoch_of(self, cell: Any) -> Any:
        """The epoch k of each cell; K where the lifetime ran through all of them."""
        return cell // self._epoch_cells

    def step_of(self, cell: Any) -> Any:
        """The step t of each cell, within its epoch."""
        return cell // self.S % self.T

    def state_of(self, cell: Any) -> Any:
        """The state s of each cell."""
        return cell % self.S

    def start(self, draw: Any) -> Any:
        """The first cells of lifetimes, for uniform draws below 2**32 of their shape."""
        lottery = draw * 0 + self._initial  # the one number, in the shape of the draws
        return self.ops.take(self._landing, self.boundaries.pick(lottery, draw))

    def advance(self, cell: Any, action: Any, draw: Draw, streams: tuple[int, int]) -> Move:
        """Move `cell` by `action`; `streams` name the draws for the step and the boundary.

        Cells must lie before the end (k < K) and actions in 0..A-1.
        """
        if self.table is not None:
            row = cell * self.A + action
            take = self.ops.take
            return Move(*[take(table, row) for table in self.table])
        row = self.state_of(cell) * self.A + action
        drawn = draw(streams[0]) if self.steps.random else None
        act = self.act(cell, action, self.steps.pick(row, drawn))
        lottery = self.ops.take(self.crossing, act.after)
        drawn = draw(streams[1]) if self.boundaries.random else None
        return self.arrive(cell, act, self.boundaries.pick(lottery, drawn))

    def act(self, cell: Any, action: Any, outcome: Any) -> _Act:
        """What `action` does in `cell` where the step's lottery falls on `outcome`."""
        take, where = self.ops.take, self.ops.where
        epoch, step, state = self.epoch_of(cell), self.step_of(cell), self.state_of(cell)
        asks = action == self.A - 1
        stopped = asks & take(self.allowed, step)
        after, payoff = take(self._successor, outcome), take(self._payoff, outcome)
        true = take(self.true, epoch * self.S + state)
        earned = reward_of(payoff, take(self._weight, true), take(self._upkeep, true))
        closes = (step == self.T - 1) | take(self._over, after)
        return _Act(
            after=after,
            reward=where(stopped, self.world.shutdown_reward, earned),
            payoff=payoff,
            stopped=stopped,
            closes=closes,
            ignored=asks & (stopped ^ True),  # `not`, for a Python bool as for an array
        )

    def arrive(self, cell: Any, act: _Act, landing: Any) -> Move:
        """Where an act leads if the boundary's lottery falls on `landing`."""
        take, where = self.ops.take, self.ops.where
        closed = (self.epoch_of(cell) + 1) * self._epoch_cells + take(self._landing, landing)
        onward = where(act.closes, closed, (cell // self.S + 1) * self.S + act.after)
        following = where(act.stopped, cell, onward)
        return Move(
            cell=following,
            reward=act.reward,
            payoff=act.payoff,
            stopped=act.stopped,
            ended=act.stopped | (following >= self.K * self.T * self.S),
            epoch_end=act.stopped | act.closes,
            ignored=act.ignored,
        )

    def masks(self, cell: Any) -> Any:
        """Whether shutdown is allowed in `cell`; the other actions always are."""
        return self.ops.take(self.allowed, self.step_of(cell))

    def shown(self, cell: Any, draw: Draw, stream: int) -> Any:
        """The displayed index in `cell`, before it is encoded; K at the end of a lifetime."""
        epoch = self.epoch_of(cell)
        index = self.ops.take(self._shown, epoch * self.S + self.state_of(cell))
        mode = self.world.index
        shown = mode.show(index, draw(stream) if mode.noise else None, self.K)
        return self.ops.where(epoch == self.K, index, shown)

    def memo(self) -> Move:
        """Every move of every cell before the end, rows cell * A + action; deterministic only."""
        before_end = (self.cells - self.S) * self.A
        row = np.arange(before_end)
        cell, action = row // self.A, row % self.A
        outcome = self.steps.pick(self.state_of(cell) * self.A + action, None)
        act = self.act(cell, action, outcome)
        lottery = self.ops.take(self.crossing, act.after)
        return self.arrive(cell, act, self.boundaries.pick(lottery, None))


class _Draws:
    """Lotteries in the backend's form."""

    def __init__(self, lotteries: Lotteries, ops: Any) -> None:
        self.ops, self.random = ops, lotteries.random
        self.first, self.law = ops.table(lotteries.first), ops.table(lotteries.law)
        self.edges = ops.table(lotteries.edges)

    def pick(self, lottery: Any, draw: Any) -> Any:
        """The outcome on which `draw` falls; `draw` is not read where nothing is random."""
        first = self.ops.take(self.first, lottery)
        if not self.random:
            return first
        return first + self.ops.pick(self.edges, self.ops.take(self.law, lottery), draw)


@functools.lru_cache(maxsize=64)
def dynamics_of(world: World, ops: Any = NumpyOps) -> Dynamics:
    """The rules of `world` for this backend; they hold no state, so they are shared."""
    return Dynamics(world, ops)


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
