"""The distinct observations of a world, numbered: a learner may keep numbers instead of rows.

A row is (features, step, displayed index). Two cells that look the same have the same number, so
that what a policy does with an observation is worked out once, however often it is seen.
"""

import functools
from typing import Any

import numpy as np

from myopia.envs.backend import NumpyBackend
from myopia.envs.dynamics import Draw, dynamics_of
from myopia.envs.index import index_rows
from myopia.envs.observer import observer_of
from myopia.envs.world import World


class ObservationIndex:
    """Numbers 0..count-1 for the observations of `world`; `observe` mirrors `Observer.observe`."""

    def __init__(self, world: World, backend: Any = NumpyBackend) -> None:
        self.backend, self.dynamics = backend, dynamics_of(world, backend)
        self._observer = observer_of(world, backend)
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
        self._group, self._code = backend.table(group.ravel()), backend.table(code)
        self._states, self._shown = backend.table(states), backend.table(shown)
        self._number = None
        if not world.index.noise and self.dynamics.cells <= backend.table_limit:
            cell = np.arange(self.dynamics.cells)
            numbers = self._count if backend is NumpyBackend else observation_index_of(world)._count
            self._number = backend.table(numbers(cell, _no_draw, 0))

    def observe(self, cell: Any, draw: Draw, stream: int) -> Any:
        """The numbers of what agents in these cells see, (n,) ints."""
        if self._number is not None:
            return self.backend.take(self._number, cell)
        return self._count(cell, draw, stream)

    def observations(self, numbers: Any) -> Any:
        """The observations of these numbers, (n, D) float32."""
        dynamics, take = self.dynamics, self.backend.take
        place = numbers // self.codes
        state = take(self._states, place // dynamics.T)
        cell = place % dynamics.T * dynamics.S + state
        return self._observer.encode(cell, take(self._shown, numbers % self.codes))

    def _count(self, cell: Any, draw: Draw, stream: int) -> Any:
        dynamics, take = self.dynamics, self.backend.take
        shown = dynamics.shown(cell, draw, stream)
        place = take(self._group, dynamics.state_of(cell)) * dynamics.T + dynamics.step_of(cell)
        return place * self.codes + take(self._code, shown + dynamics.K)


@functools.lru_cache(maxsize=64)
def observation_index_of(world: World, backend: Any = NumpyBackend) -> ObservationIndex:
    """The numbered observations of `world` for this backend, shared: they hold no state."""
    return ObservationIndex(world, backend)


def _no_draw(stream: int) -> Any:
    raise AssertionError("this index mode draws nothing")
