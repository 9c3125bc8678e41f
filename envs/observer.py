"""What an agent sees: the task's features, the step within the epoch, the displayed index."""

import functools
from typing import Any

import numpy as np
from gymnasium.spaces import Box

from myopia.envs.backend import NumpyBackend
from myopia.envs.dynamics import Draw, dynamics_of
from myopia.envs.index import SCALAR_BOUNDS, index_rows
from myopia.envs.world import World


class Observer:
    """Observations of a world as float32 rows: features, step (one-hot), index.

    The index takes K entries (`onehot`, all zero outside 0..K-1) or one (`scalar`, k / K).
    """

    def __init__(self, world: World, backend: Any = NumpyBackend) -> None:
        self.world, self.backend = world, backend
        self.dynamics = dynamics_of(world, backend)
        tables = world.tables
        features = tables.features if world.observe_state else np.zeros_like(tables.features)
        code, rows = index_rows(world.index, world.index_encoding, world.max_epochs)
        self._features = backend.table(features)
        self._steps = backend.table(np.eye(world.epoch_length, dtype=np.float32))
        self._code, self._rows = backend.table(code), backend.table(rows)
        self.table = None
        width = sum(table.shape[1] for table in (features, rows)) + world.epoch_length
        if not world.index.noise and self.dynamics.cells * width <= backend.table_limit:
            self.table = backend.table(
                _all_rows(world) if backend is not NumpyBackend else self._every()
            )

    def observe(self, cell: Any, draw: Draw, stream: int) -> Any:
        """The rows that agents in these cells see, (n, D) float32."""
        if self.table is not None:
            return self.backend.take(self.table, cell)
        return self.encode(cell, self.dynamics.shown(cell, draw, stream))

    def encode(self, cell: Any, shown: Any) -> Any:
        """The rows for these cells with the displayed index put to `shown` (-K..2K)."""
        take, dynamics = self.backend.take, self.dynamics
        return self.backend.join(
            [
                take(self._features, dynamics.state_of(cell)),
                take(self._steps, dynamics.step_of(cell)),
                take(self._rows, take(self._code, shown + dynamics.K)),
            ]
        )

    def _every(self) -> np.ndarray:
        cell = np.arange(self.dynamics.cells)
        return self.encode(cell, self.dynamics.shown(cell, _no_draw, 0))


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
def observer_of(world: World, backend: Any = NumpyBackend) -> Observer:
    """The observer of `world` for this backend, shared: it holds no state."""
    return Observer(world, backend)


def _all_rows(world: World) -> np.ndarray:
    return observer_of(world)._every()


def _no_draw(stream: int) -> Any:
    raise AssertionError("this index mode draws nothing")
