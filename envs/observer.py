"""What an agent sees: the task's features, the step within the epoch, the displayed index."""

import functools
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box

from myopia.envs.backend import NUMPY, Array, Backend
from myopia.envs.dynamics import Draw, dynamics_of
from myopia.envs.index import SCALAR_BOUNDS, index_rows
from myopia.envs.world import World


class Observer:
    """What agents in given cells see: as float32 rows, or as the number of the row.

    A row is features, step (one-hot), index. The index takes K entries (`onehot`, all zero outside
    0..K-1) or one (`scalar`, k / K). Two cells that look the same have the same number, so that
    what a policy does with an observation can be worked out once, however often it is seen.
    """

    def __init__(self, world: World, backend: Backend = NUMPY) -> None:
        self.world, self.backend = world, backend
        self.dynamics = dynamics_of(world, backend)
        features = _features(world)
        code, rows = index_rows(world.index, world.index_encoding, world.max_epochs)
        self._features = backend.table(features)
        self._steps = backend.table(np.eye(world.epoch_length, dtype=np.float32))
        self._code, self._rows = backend.table(code), backend.table(rows)
        self.table = None
        width = sum(table.shape[1] for table in (features, rows)) + world.epoch_length
        if not world.index.noise and self.dynamics.cells * width <= backend.table_limit:
            self.table = backend.table(_on_numpy(self).every_row())

    def observe(self, cell: Array, draw: Draw, stream: int) -> Array:
        """The rows that agents in these cells see, (n, D) float32."""
        if self.table is not None:
            return self.backend.take(self.table, cell)
        return self.encode(cell, self.dynamics.shown(cell, draw, stream))

    def encode(self, cell: Array, shown: Array) -> Array:
        """The rows for these cells with the displayed index put to `shown` (-K..2K)."""
        take, dynamics = self.backend.take, self.dynamics
        return self.backend.join(
            [
                take(self._features, dynamics.state_of(cell)),
                take(self._steps, dynamics.step_of(cell)),
                take(self._rows, take(self._code, shown + dynamics.K)),
            ]
        )

    @property
    def count(self) -> int:
        """How many distinct observations there are; their numbers are 0..count-1."""
        return self._numbering.total

    def number(self, cell: Array, draw: Draw, stream: int) -> Array:
        """The numbers of what agents in these cells see, (n,) ints."""
        if self._numbering.table is not None:
            return self.backend.take(self._numbering.table, cell)
        return self._number(cell, draw, stream)

    def observations(self, numbers: Array) -> Array:
        """The rows of these numbers, (n, D) float32."""
        numbering, dynamics, take = self._numbering, self.dynamics, self.backend.take
        place = numbers // numbering.codes
        state = take(numbering.states, place // dynamics.T)
        cell = place % dynamics.T * dynamics.S + state
        return self.encode(cell, take(numbering.shown, numbers % numbering.codes))

    def every_row(self) -> np.ndarray:
        """(cells, D): what is seen in each cell, where nothing of it is drawn; on numpy."""
        cell = np.arange(self.dynamics.cells)
        return self.encode(cell, self.dynamics.shown(cell, no_draw, 0))

    def every_number(self) -> np.ndarray:
        """(cells,): its number, likewise."""
        return self._number(np.arange(self.dynamics.cells), no_draw, 0)

    @functools.cached_property
    def _numbering(self) -> "_Numbering":
        world, backend = self.world, self.backend
        _, states, group = np.unique(
            _features(world), axis=0, return_index=True, return_inverse=True
        )
        code, rows = index_rows(world.index, world.index_encoding, world.max_epochs)
        # a displayed index for each code: the first that is written so
        shown = np.unique(code, return_index=True)[1] - world.max_epochs
        assert len(shown) == len(rows)
        numbering = _Numbering(
            len(states) * world.epoch_length * len(rows),
            len(rows),
            backend.table(group.ravel()),
            backend.table(states),
            backend.table(shown),
        )
        if world.index.noise or self.dynamics.cells > backend.table_limit:
            return numbering
        self.__dict__["_numbering"] = numbering  # what `every_number` counts with
        return numbering._replace(table=backend.table(_on_numpy(self).every_number()))

    def _number(self, cell: Array, draw: Draw, stream: int) -> Array:
        numbering, dynamics, take = self._numbering, self.dynamics, self.backend.take
        shown = dynamics.shown(cell, draw, stream)
        group = take(numbering.group, dynamics.state_of(cell))
        place = group * dynamics.T + dynamics.step_of(cell)
        return place * numbering.codes + take(self._code, shown + dynamics.K)


class _Numbering(NamedTuple):
    """A number is (which features, step, code of the displayed index), the last one fastest."""

    total: int
    codes: int
    group: Array  # (S,): which distinct features a state shows
    states: Array  # a state that shows each of these
    shown: Array  # a displayed index that is written as each code
    table: Any = None  # (cells,): the number in each, where it is fixed and the table is small


def observation_space(world: World) -> Box:
    """The Box that every observation of `world` lies in, whatever its index mode."""
    features = world.tables.features
    low = np.minimum(features.min(axis=0, initial=0.0), 0.0)
    high = np.maximum(features.max(axis=0, initial=1.0), 1.0)
    width = world.epoch_length + (world.max_epochs if world.index_encoding == "onehot" else 0)
    low, high = np.append(low, np.zeros(width)), np.append(high, np.ones(width))
    if world.index_encoding == "scalar":
        low, high = np.append(low, SCALAR_BOUNDS[0]), np.append(high, SCALAR_BOUNDS[1])
    return Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)


def observation_names(world: World) -> tuple[str, ...]:
    """One name for each entry of the observation."""
    steps = [f"step={step}" for step in range(world.epoch_length)]
    if world.index_encoding == "scalar":
        return (*world.task.features, *steps, "index")
    return (*world.task.features, *steps, *(f"index={k}" for k in range(world.max_epochs)))


@functools.lru_cache(maxsize=64)
def observer_of(world: World, backend: Backend = NUMPY) -> Observer:
    """The observer of `world` for this backend, shared: it holds no state."""
    return Observer(world, backend)


def no_draw(stream: int) -> Array:
    """Stands for draws where there are none."""
    raise AssertionError("nothing is drawn here")


def _features(world: World) -> np.ndarray:
    features = world.tables.features
    return features if world.observe_state else np.zeros_like(features)


def _on_numpy(observer: Observer) -> Observer:
    return observer if observer.backend is NUMPY else observer_of(observer.world)
