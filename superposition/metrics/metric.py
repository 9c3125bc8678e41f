"""The metrics by name, as functions of one reading of one layer. The audit runs all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from myopia.common.registry import Registry


@dataclass(frozen=True)
class Reading:
    """What there is to measure in one layer."""

    columns: Tensor | None
    """(d_hidden, n_features): the direction of each feature in the layer; None where the features
    are collinear, so that they have no directions."""
    decoded: Tensor | None
    """(n_features, n_features): the map from features to decoded features; None as `columns`."""
    activations: Tensor
    """(samples, d_hidden)."""
    activation: str
    """`linear`, `relu` or `tanh`."""
    weights: Tensor | None = None
    """(samples,): how much each sample counts; all the same if None."""


Metric = Callable[[Reading], Tensor | None]
"""A number, or one per feature; None where the metric has no meaning for such a layer."""


def _entry(
    name: str,
    function: Callable[..., Any],
    of: Literal["columns", "decoded", "activations", "reading"],
    only: str | None = None,
) -> Metric:
    """From what `function` is of to a function of a reading.

    The columns, the decoded map, the activations with their `weights`, or the whole reading;
    `only` in layers with this activation function, if given.
    """

    def metric(reading: Reading) -> Tensor | None:
        if only not in (None, reading.activation):
            return None
        if of == "reading":
            return function(reading)
        if of == "activations":
            return function(reading.activations, weights=reading.weights)
        given = getattr(reading, of)
        return None if given is None else function(given)

    return metric


METRICS: Registry[Metric] = Registry(
    "metric",
    "myopia.superposition.metrics",
    spell=lambda name: name.replace("_", " "),
    entry=_entry,
)
"""Name -> metric; from its registration on the audit and `myopia represent` have a row for it."""
metric = METRICS.register
