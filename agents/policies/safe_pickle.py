"""Reading arrays out of a pickle without running anything that it names.

A pickle is a program that may call any function. Here every name in it stands for an empty class
that keeps what it is given, but for the few of numpy's that make arrays and numbers out of bytes.
"""

import io
import pickle
from typing import Any

import numpy as np

from myopia.common.errors import first_line

ARRAYS = {
    *(("numpy", "ndarray"), ("numpy", "dtype")),
    *(
        (f"numpy.{core}.multiarray", name)
        for core in ("core", "_core")
        for name in ("_reconstruct", "scalar")
    ),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
}
"""What is called as it is: module and name."""

MOST_ITEMS = 1 << 26
"""Of an array: it is made before its bytes are read."""


class Kept:
    """Stands for an object of any class: its attributes, and nothing that it could do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.__dict__.update({str(key): value for key, value in state.items()})

    def __call__(self, *args: Any, **kwargs: Any) -> "Kept":
        """What an object that is called, too, would give."""
        return Kept(*args)

    def extend(self, items: Any) -> None:
        """What an object that is a list, too, would take."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """What an object that is a dict, too, would take."""


def read_pickle(data: bytes) -> Any:
    """What is pickled, objects as `Kept`. Raises ValueError where it is no pickle."""
    try:
        return _Reader(io.BytesIO(data)).load()
    except Exception as error:  # whatever a hostile file makes the reader stumble over
        raise ValueError(f"damaged, or no pickle: {first_line(error)}") from None


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Numpy's makers of arrays, and `Kept` for everything else."""
        if (module, name) not in ARRAYS:
            return Kept
        found = {"ndarray": np.ndarray, "dtype": np.dtype, "_reconstruct": _empty}.get(name)
        return super().find_class(module, name) if found is None else found


def _empty(kind: type, shape: Any, dtype: Any) -> np.ndarray:
    """What numpy's `_reconstruct` makes, of no more than `MOST_ITEMS`."""
    if int(np.prod(shape, dtype=float)) > MOST_ITEMS:
        raise ValueError(f"an array of the shape {shape}, expected at most {MOST_ITEMS} numbers")
    return np.ndarray(shape, dtype)
