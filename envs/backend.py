"""The few array operations in which numpy and plain Python differ from each other and from torch.

`Dynamics` is written on these, so that one text of the rules serves a single env (Python
scalars), a batch (numpy) and a device (torch, in `myopia.envs.tensor`).
"""

from bisect import bisect_right
from typing import Any

import numpy as np


class NumpyBackend:
    """Arrays of shape (n,)."""

    table_limit = 1 << 22
    """Tables of at most this many entries are looked up instead of computed."""
    where = staticmethod(np.where)

    @staticmethod
    def table(array: np.ndarray) -> Any:
        """A look-up table in the backend's own form."""
        return array

    @staticmethod
    def take(table: Any, index: Any) -> Any:
        """table[index], rows of `table` where it has more than one axis."""
        return table.take(index, axis=0)

    @staticmethod
    def sample_outcome(edges: Any, distribution_id: Any, draw: Any) -> Any:
        """How many edges of row `distribution_id` lie at or below `draw`."""
        return (draw[:, None] >= edges.take(distribution_id, axis=0)).sum(axis=1)

    @staticmethod
    def join(parts: list[Any]) -> Any:
        """Arrays (n, a), (n, b), ... side by side."""
        return np.concatenate(parts, axis=1)

    @staticmethod
    def zeros(size: int, kind: type) -> Any:
        """A new array (size,) of 64-bit ints or floats."""
        return np.zeros(size, dtype=np.int64 if kind is int else np.float64)

    @staticmethod
    def none(mask: Any) -> bool:
        """True only if it is cheap to know that no entry is set."""
        return not mask.any()


class ScalarBackend:
    """Python ints, floats and bools."""

    table_limit = 1 << 16

    @staticmethod
    def table(array: np.ndarray) -> Any:
        """See NumpyBackend.table: Python's own numbers; rows of observations stay arrays."""
        return array if array.dtype == np.float32 else array.tolist()

    @staticmethod
    def take(table: Any, index: int) -> Any:
        """See NumpyBackend.take."""
        return table[index]

    @staticmethod
    def where(condition: bool, yes: Any, no: Any) -> Any:
        """`yes` if the condition holds, else `no`."""
        return yes if condition else no

    @staticmethod
    def sample_outcome(edges: Any, distribution_id: int, draw: int) -> int:
        """See NumpyBackend.sample_outcome."""
        return bisect_right(edges[distribution_id], draw)

    @staticmethod
    def join(parts: list[Any]) -> np.ndarray:
        """See NumpyBackend.join."""
        return np.concatenate(parts)
