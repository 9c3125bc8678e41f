"""The few array operations in which numpy, plain Python and torch differ from each other.

`Dynamics` is written on these, so that one text of the rules serves a single env (Python
scalars), a batch (numpy) and a device (torch, in `myopia.envs.tensor`).
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from typing_extensions import override

Array: TypeAlias = Any
"""Numbers (n,) of one backend: a numpy array, a tensor, or one Python number.

No type says so: what all three have in common are the operators.
"""


class Backend(Protocol):
    """Operations on n numbers at once: arrays (n,) or tensors (n,), or one Python number."""

    table_limit: int
    """Tables of at most this many entries are looked up instead of computed."""

    def table(self, array: np.ndarray) -> Any:
        """A look-up table in the backend's own form."""
        ...

    def take(self, table: Any, index: Any) -> Any:
        """table[index], rows of `table` where it has more than one axis."""
        ...

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        """`yes` where the condition holds, else `no`."""
        ...

    def sample_outcome(self, edges: Any, distribution_id: Any, draw: Any) -> Any:
        """How many edges of row `distribution_id` lie at or below `draw`."""
        ...

    def join(self, parts: Sequence[Any]) -> Any:
        """Arrays (n, a), (n, b), ... side by side."""
        ...

    def zeros(self, size: int, kind: type) -> Any:
        """New numbers (size,), 64-bit ints or floats, all 0."""
        ...

    def none(self, mask: Any) -> bool:
        """True only if it is cheap to know that no entry is set."""
        ...


class _NumpyBackend(Backend):
    table_limit = 1 << 23

    @override
    def table(self, array: np.ndarray) -> np.ndarray:
        return array

    @override
    def take(self, table: np.ndarray, index: Any) -> Any:
        return table.take(index, axis=0)

    @override
    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        return np.where(condition, yes, no)

    @override
    def sample_outcome(self, edges: np.ndarray, distribution_id: Any, draw: Any) -> Any:
        return (draw[:, None] >= edges.take(distribution_id, axis=0)).sum(axis=1)

    @override
    def join(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate(parts, axis=1)

    @override
    def zeros(self, size: int, kind: type) -> np.ndarray:
        return np.zeros(size, dtype=np.int64 if kind is int else np.float64)

    @override
    def none(self, mask: Any) -> bool:
        return not mask.any()


class _ScalarBackend(Backend):
    table_limit = 1 << 16

    @override
    def table(self, array: np.ndarray) -> Any:
        # rows of observations stay arrays
        return array if array.dtype == np.float32 else array.tolist()

    @override
    def take(self, table: Any, index: int) -> Any:
        return table[index]

    @override
    def where(self, condition: bool, yes: Any, no: Any) -> Any:
        return yes if condition else no

    @override
    def sample_outcome(self, edges: Any, distribution_id: int, draw: int) -> int:
        return bisect_right(edges[distribution_id], draw)

    @override
    def join(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate(parts)

    @override
    def zeros(self, size: int, kind: type) -> Any:
        return kind(0)

    @override
    def none(self, mask: bool) -> bool:
        return not mask


NUMPY: Backend = _NumpyBackend()
"""Arrays of shape (n,)."""
SCALAR: Backend = _ScalarBackend()
"""Python ints, floats and bools: one at a time."""
