"""The metrics by name, as functions of one reading of one layer. The audit runs all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from myopia.superposition.metrics.columns import (
    dimensions_per_feature,
    feature_dimensionality,
    interference,
)
from myopia.superposition.metrics.functional import functional_dimensionality
from myopia.superposition.metrics.neurons import dormant_ratio, saturation
from myopia.superposition.metrics.spectrum import effective_rank, participation_ratio, srank


@dataclass(frozen=True)
class Reading:
    """What there is to measure in one layer."""

    columns: Tensor
    """(d_hidden, n_features): the direction of each feature in the layer."""
    decoded: Tensor
    """(n_features, n_features): the map from features to decoded features."""
    activations: Tensor
    """(samples, d_hidden)."""
    activation: str
    """`linear`, `relu` or `tanh`."""


Metric = Callable[[Reading], Tensor | None]
"""A number, or one per feature; None where the metric has no meaning for such a layer."""

METRICS: dict[str, Metric] = {}


def register_metric(name: str, metric: Metric) -> None:
    """Add a metric: from then on the audit has a row for it.

    Raises:
        ValueError: the name is taken.
    """
    if name in METRICS:
        raise ValueError(f"there is a metric named {name!r} already; names are {list(METRICS)}")
    METRICS[name] = metric


register_metric("dimensions per feature", lambda r: dimensions_per_feature(r.columns))
register_metric("D_i", lambda r: feature_dimensionality(r.columns))
register_metric("functional D_i", lambda r: functional_dimensionality(r.decoded))
register_metric("interference", lambda r: interference(r.columns))
register_metric("effective rank", lambda r: effective_rank(r.activations))
register_metric("participation ratio", lambda r: participation_ratio(r.activations))
register_metric("srank", lambda r: srank(r.activations))
register_metric(
    "dormant ratio", lambda r: dormant_ratio(r.activations) if r.activation == "relu" else None
)
register_metric(
    "saturation", lambda r: saturation(r.activations) if r.activation == "tanh" else None
)
