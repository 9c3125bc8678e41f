"""Metrics of representations: one function each, numpy or torch in, batched over leading axes."""

from myopia.superposition.metrics.columns import (
    capacity,
    cosines,
    dimensions_per_feature,
    feature_dimensionality,
    feature_norms,
    features_per_dimension,
    interference,
    interference_matrix,
    represented_features,
)
from myopia.superposition.metrics.functional import functional_dimensionality
from myopia.superposition.metrics.geometry import Component, Geometry, read_geometry
from myopia.superposition.metrics.metric import METRICS, Metric, Reading
from myopia.superposition.metrics.neurons import dormant_ratio, saturation
from myopia.superposition.metrics.spectrum import effective_rank, participation_ratio, srank

__all__ = [
    "METRICS",
    "Component",
    "Geometry",
    "Metric",
    "Reading",
    "capacity",
    "cosines",
    "dimensions_per_feature",
    "dormant_ratio",
    "effective_rank",
    "feature_dimensionality",
    "feature_norms",
    "features_per_dimension",
    "functional_dimensionality",
    "interference",
    "interference_matrix",
    "participation_ratio",
    "read_geometry",
    "represented_features",
    "saturation",
    "srank",
]
