"""Which regular shape the columns of a weight matrix form."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from myopia.superposition.metrics.arrays import Array
from myopia.superposition.metrics.columns import columns, cosines, feature_norms

ORTHOGONAL = 0.1
"""Columns whose |cosine| is below this share no dimension."""

TOLERANCE = 0.15
"""A set whose cosines are farther than this from those of every shape is irregular."""


@dataclass(frozen=True)
class Component:
    """One set of features that shares dimensions with no other set."""

    shape: str
    """A key of `SHAPES`, or `irregular`."""
    features: tuple[int, ...]
    distance: float
    """Largest gap between the sorted cosines of the set and those of the nearest shape of its
    size; infinite where no shape has that size."""


@dataclass(frozen=True)
class Geometry:
    """The columns of one matrix, read as a (tegum) product of shapes in orthogonal subspaces."""

    name: str
    """Shapes by falling size with their counts, as in `pentagon x 2 digon`; `none` if empty."""
    distance: float
    """The largest distance among the parts, 0 if there are none."""
    parts: tuple[Component, ...]


def read_geometry(W: Array, feature_axis: int = -1, threshold: float = 0.5) -> Geometry:
    """The geometry of W (d_hidden, n_features); columns with `||W_i|| <= threshold` are left out.

    Source: the polytopes of Elhage et al. 2022, arXiv 2209.10652, "The geometry of superposition".

    Raises:
        ValueError: W is no finite real matrix, or has leading axes.
    """
    matrix = columns(W, feature_axis).detach().double().cpu()
    if matrix.ndim != 2:
        raise ValueError(f"read_geometry reads one matrix, but the shape is {tuple(matrix.shape)}")
    kept = np.flatnonzero(feature_norms(matrix).numpy() > threshold)
    if not len(kept):
        return Geometry("none", 0.0, ())
    table = cosines(matrix).numpy()[np.ix_(kept, kept)]
    parts = [_part(table, group, kept) for group in _connected(np.abs(table) >= ORTHOGONAL)]
    parts.sort(key=lambda part: (-len(part.features), part.shape, part.features))
    counts = Counter(part.shape for part in parts)
    name = " x ".join(f"{n} {shape}" if n > 1 else shape for shape, n in counts.items())
    return Geometry(name, max(part.distance for part in parts), tuple(parts))


def _part(table: np.ndarray, group: list[int], kept: np.ndarray) -> Component:
    own = _sorted_pairs(table[np.ix_(group, group)])
    gaps = {
        shape: float(np.abs(own - pairs).max(initial=0.0))
        for shape, pairs in SHAPES.items()
        if len(pairs) == len(own)
    }
    shape = min(gaps, key=lambda name: gaps[name], default="irregular")
    distance = gaps.get(shape, math.inf)
    label = shape if distance <= TOLERANCE else "irregular"
    return Component(label, tuple(int(kept[i]) for i in group), distance)


def _connected(joined: np.ndarray) -> list[list[int]]:
    """Connected components of a symmetric boolean matrix, each in rising order."""
    groups, unseen = [], set(range(len(joined)))
    while unseen:
        group, frontier = set(), [min(unseen)]
        while frontier:
            i = frontier.pop()
            if i not in group:
                group.add(i)
                frontier.extend(np.flatnonzero(joined[i]).tolist())
        unseen -= group
        groups.append(sorted(group))
    return groups


def _sorted_pairs(table: np.ndarray) -> np.ndarray:
    return np.sort(table[np.triu_indices(len(table), k=1)])


def _polygon(corners: int) -> np.ndarray:
    angles = 2 * np.pi * np.arange(corners) / corners
    return np.stack([np.cos(angles), np.sin(angles)])


def _antiprism() -> np.ndarray:
    """Two squares turned by 45 degrees, at the height that shares three dimensions evenly."""
    angles = np.pi / 4 * np.arange(8)
    height = np.where(np.arange(8) % 2, 1, -1) / math.sqrt(3)
    ring = math.sqrt(2 / 3)
    return np.stack([ring * np.cos(angles), ring * np.sin(angles), height])


def _simplex(corners: int) -> np.ndarray:
    centred = np.eye(corners) - 1 / corners
    return centred / np.linalg.norm(centred, axis=0)


def _shape(corners: np.ndarray) -> np.ndarray:
    return _sorted_pairs(corners.T @ corners)


SHAPES = {
    "single": _shape(np.ones((1, 1))),
    "digon": _shape(np.array([[1.0, -1.0]])),
    "triangle": _shape(_simplex(3)),
    "tetrahedron": _shape(_simplex(4)),
    "pentagon": _shape(_polygon(5)),
    "square antiprism": _shape(_antiprism()),
}
"""Shape -> the sorted cosines between its corners."""
