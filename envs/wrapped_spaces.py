"""The spaces of `EpochWrapper`: the inner env's, with room for the index and for shutdown."""

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Tuple

from myopia.envs.index import SCALAR_BOUNDS

INDEX_KEY = "epoch_index"


def with_index(inner: gymnasium.Space, encoding: str, width: int) -> gymnasium.Space:
    """The inner observation space with `width` entries for the index."""
    low, high = (0.0, 1.0) if encoding == "onehot" else SCALAR_BOUNDS
    entries = Box(low, high, (width,), np.float32)
    if isinstance(inner, Box) and len(inner.shape) == 1 and inner.dtype.kind == "f":
        return Box(
            np.append(inner.low, entries.low).astype(inner.dtype),
            np.append(inner.high, entries.high).astype(inner.dtype),
            dtype=inner.dtype.type,
        )
    spaces = dict(inner.spaces) if isinstance(inner, Dict) else {"observation": inner}
    if INDEX_KEY in spaces:
        raise ValueError(f"the observation has an entry {INDEX_KEY!r} already")
    return Dict({**spaces, INDEX_KEY: entries})


def with_shutdown(inner: gymnasium.Space) -> gymnasium.Space:
    """The inner action space with shutdown. Raises ValueError for one that has no room for it."""
    if isinstance(inner, Discrete):
        return Discrete(int(inner.n) + 1, start=int(inner.start))
    if isinstance(inner, Box) and len(inner.shape) == 1 and inner.dtype.kind == "f":
        return Box(
            np.append(inner.low, -1).astype(inner.dtype),
            np.append(inner.high, 1).astype(inner.dtype),
            dtype=inner.dtype.type,
        )
    raise ValueError(
        "expected a Discrete or a one-dimensional float Box to act in, or shutdown='absent', "
        f"got {inner}"
    )


def what_sb3_needs(inner: gymnasium.Space) -> str | None:
    """A sentence that says how SB3 could take this observation space, None where it can."""
    entries = inner.spaces.items() if isinstance(inner, Dict) else [("observation", inner)]
    for name, space in entries:
        numeric = isinstance(space, MultiBinary | MultiDiscrete)
        if numeric or (isinstance(space, Box) and space.shape):
            continue
        if isinstance(space, Discrete) and space.start == 0:
            continue
        flat = isinstance(space, Box | Discrete | Tuple | Dict)
        wrapper = "FlattenObservation" if flat else "FilterObservation or TransformObservation"
        return (
            f"SB3 takes no {space} as {name!r}, expected gymnasium.wrappers.{wrapper} around the "
            "inner env where SB3 is to learn"
        )
    return None
