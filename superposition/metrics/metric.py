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

METRICS: dict[str, Metric] = {}


def register_metric(name: str, metric: Metric) -> None:
    """Add a metric: from then on the audit has a row for it.

    Raises:
        ValueError: the name is taken.
    """
    if name in METRICS:
        raise ValueError(f"there is a metric named {name!r} already; names are {list(METRICS)}")
    METRICS[name] = metric


def _columns(metric: Callable[[Tensor], Tensor]) -> Metric:
    return lambda r: None if r.columns is None else metric(r.columns)


def _activations(metric: Callable[..., Tensor], only: str | None = None) -> Metric:
    """A metric of the activations; `only` for layers with this activation, if given."""

    def measured(r: Reading) -> Tensor | None:
        if only not in (None, r.activation):
            return None
        return metric(r.activations, weights=r.weights)

    return measured


register_metric("dimensions per feature", _columns(dimensions_per_feature))
register_metric("D_i", _columns(feature_dimensionality))
register_metric(
    "functional D_i", lambda r: None if r.decoded is None else functional_dimensionality(r.decoded)
)
register_metric("interference", _columns(interference))
register_metric("effective rank", _activations(effective_rank))
register_metric("participation ratio", _activations(participation_ratio))
register_metric("srank", _activations(srank))
register_metric("dormant ratio", _activations(dormant_ratio, only="relu"))
register_metric("saturation", _activations(saturation, only="tanh"))
