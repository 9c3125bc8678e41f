"""The fast numpy batch: in a world without chance, a step is a few look-ups.

Everything that `Batch.step` computes is a function of (cell, action), so it is computed once, by
`Dynamics`, and read from tables. Tests hold the two equal.
"""

import functools
import sys
from typing import Any

import numpy as np
from typing_extensions import override

from myopia.envs.backend import Array
from myopia.envs.batch import Batch, StepResult
from myopia.envs.dynamics import dynamics_of
from myopia.envs.observer import observer_of
from myopia.envs.world import World


def make_batch(world: World, num_envs: int) -> Batch:
    """The fastest numpy batch for this world."""
    return LookupBatch(world, num_envs) if lookup_fits(world) else Batch(world, num_envs)


def lookup_fits(world: World) -> bool:
    """Whether every step of `world` can be looked up.

    It cannot where steps, boundaries or the shown index are drawn, where the tables would grow
    too large, or where epochs end early (then a lifetime's length is no function of the cell).
    """
    looked_up = dynamics_of(world).table is not None and observer_of(world).table is not None
    return looked_up and not world.tables.over.any()


class LookupBatch(Batch):
    """`Batch` for worlds that `lookup_fits`: the same results, in a fraction of the time."""

    def __init__(self, world: World, num_envs: int) -> None:
        super().__init__(world, num_envs)
        self._tables = _tables(world)
        self._pool = _ArrayPool()

    @override
    def step(self, action: Array) -> StepResult:
        tables = self._tables
        row = self.cell * self.dynamics.A
        row += action
        event = tables.event.take(row)
        earned = tables.earned.take(row, axis=0)
        ended, epoch_end = event["closes"][:, 0], event["closes"][:, 1]
        final = self._pool.take(tables.observation, tables.reached.take(row))
        self.cell = tables.following.take(row)
        sums = self._sums + earned
        self._sums = sums * tables.within.take(row, axis=0)
        observation = final
        if ended.any():
            observation = self._pool.take(tables.observation, self.cell)
        return StepResult(
            observation=observation,
            final_observation=final,
            reward=earned[:, 0],
            ended=ended,
            stop_epoch=event["stop_epoch"],
            epoch=event["epoch"],
            payoff=earned[:, 1],
            epoch_end=epoch_end,
            ignored=event["ignored"],
            epoch_payoff=sums[:, 1],
            lifetime_reward=sums[:, 0],
            length=event["length"],
        )

    @override
    def state(self) -> dict[str, Any]:
        # a cell tells how long its lifetime has lasted
        self.steps = self.cell // self.dynamics.S
        self.lifetime_reward, self.epoch_payoff = self._sums.T
        return super().state()

    @override
    def resume(self, state: dict[str, Any]) -> None:
        super().resume(state)
        self._sums = np.stack([self.lifetime_reward, self.epoch_payoff], axis=1)

    @override
    def rewards_so_far(self) -> Array:
        return self._sums[:, 0]

    @override
    def _restart(self) -> Array:
        self._sums = np.zeros((self.num_envs, 2))
        return super()._restart()


class _Tables:
    """What an action does, by row = cell * A + action; laid out so that few look-ups suffice."""

    def __init__(self, world: World) -> None:
        dynamics = dynamics_of(world)
        moves, self.observation = dynamics.table, observer_of(world).table
        assert moves is not None
        cell = np.arange(len(moves.cell)) // dynamics.A
        epoch, first = dynamics.epoch_of(cell), dynamics.start(np.zeros(1, dtype=int))
        self.reached = moves.cell
        self.following = np.where(moves.ended, first, moves.cell)
        self.earned = np.stack([moves.reward, moves.payoff], axis=1)
        closes = np.stack([moves.ended, moves.epoch_end], axis=1)
        self.within = (~closes).astype(np.float64)
        kinds = [
            ("epoch", np.int32),
            ("stop_epoch", np.int32),
            ("length", np.int32),
            ("closes", bool, 2),
            ("ignored", bool),
            ("", np.uint8),  # 16 bytes, a size that numpy gathers fast
        ]
        self.event = np.zeros(len(cell), dtype=kinds)
        self.event["epoch"] = epoch
        self.event["stop_epoch"] = np.where(moves.stopped, epoch, dynamics.K)
        self.event["length"] = cell // dynamics.S + 1
        self.event["closes"], self.event["ignored"] = closes, moves.ignored


@functools.lru_cache(maxsize=16)
def _tables(world: World) -> _Tables:
    return _Tables(world)


class _ArrayPool:
    """Hands out an observation array again once nobody holds it any more.

    Fresh ones, just above malloc's thresholds, would cost a page fault every 4 kB. An array is
    held by whoever refers to it or to a view of it (numpy and torch views refer to their base).
    """

    MOST = 8
    UNUSED = 3  # references: the list's, the loop variable's, getrefcount's own

    def __init__(self) -> None:
        self._arrays: list[np.ndarray] = []

    def take(self, table: Array, index: np.ndarray) -> np.ndarray:
        """Rows of `table`, in an array that is the caller's as long as it is kept."""
        for array in self._arrays:
            if sys.getrefcount(array) == self.UNUSED:
                return np.take(table, index, axis=0, out=array, mode="clip")
        fresh = table.take(index, axis=0)
        if len(self._arrays) < self.MOST:
            self._arrays.append(fresh)
        return fresh
