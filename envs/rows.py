"""The distinct observations of a world, numbered: a learner may keep numbers instead of rows.

A row is (features, step, displayed index). Two cells that look the same have the same number, so
that what a policy does with an observation is worked out once, however often it is seen.
"""

import functools
from typing import Any

import numpy as np

from myopia.envs.dynamics import Draw, dynamics_of
from myopia.envs.index import index_rows
from myopia.envs.observer import observer_of
from myopia.envs.ops import NumpyOps
from myopia.envs.world import World


class Rows:
    """Numbers 0..count-1 for the observations of `world`; `observe` mirrors `Observer.observe`."""

    def __init__(self, world: World, ops: Any = NumpyOps) -> None:
        self.ops, self.dynamics = ops, dynamics_of(world, ops)
        self._observer = observer_of(world, ops)
        features = world.tables.features
        if not world.observe_state:
            features = np.zeros_like(features)
        _, states, group = np.unique(features, axis=0, return_index=True, return_inverse=True)
        code, rows = index_rows(world.index, world.index_encoding, world.max_epochs)
        # a displayed index for each code: the first that is written so
        shown = np.unique(code, return_index=True)[1] - world.max_epochs
        assert len(shown) == len(rows)
        self.codes = len(rows)
        self.count = len(states) * world.epoch_length * self.codes
        self._group, self._code = ops.table(group.ravel()), ops.table(code)
        self._states, self._shown = ops.table(states), ops.table(shown)
        self._number = None
        if not world.index.noise and self.dynamics.cells <= ops.memo_limit:
            cell = np.arange(self.dynamics.cells)
            numbers = self._count if ops is NumpyOps else rows_of(world)._count
            self._number = ops.table(numbers(cell, _no_draw, 0))

    def observe(self, cell: Any, draw: Draw, stream: int) -> Any:
        """The numbers of what agents in these cells see, (n,) ints."""
        if self._number is not None:
            return self.ops.take(self._number, cell)
        return self._count(cell, draw, stream)

    def observations(self, numbers: Any) -> Any:
        """The observations of these numbers, (n, D) float32."""
        dynamics, take = self.dynamics, self.ops.take
        place = numbers // self.codes
        state = take(self._states, place // dynamics.T)
        cell = place % dynamics.T * dynamics.S + state
        return self._observer.encode(cell, take(self._shown, numbers % self.codes))

    def _count(self, cell: Any, draw: Draw, stream: int) -> Any:
        dynamics, take = self.dynamics, self.ops.take
        shown = dynamics.shown(cell, draw, stream)
        place = take(self._group, dynamics.state_of(cell)) * dynamics.T + dynamics.step_of(cell)
        return place * self.codes + take(self._code, shown + dynamics.K)


@functools.lru_cache(maxsize=64)
def rows_of(world: World, ops: Any = NumpyOps) -> Rows:
    """The numbered observations of `world` for this backend, shared: they hold no state."""
    return Rows(world, ops)


def _no_draw(stream: int) -> Any:
    raise AssertionError("this index mode draws nothing")
