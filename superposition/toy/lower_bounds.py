"""What no model can beat, by proof; checked after every training."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from myopia.superposition.metrics.columns import feature_dimensionality
from myopia.superposition.toy.data import Features
from myopia.superposition.toy.model import ToyModel


@dataclass(frozen=True)
class LowerBound:
    """One bound of one instance: `value` must not be below `lower_bound`."""

    instance: int
    bound: str
    value: float
    lower_bound: float
    holds: bool


def check_lower_bounds(
    model: ToyModel, features: Features, importance: Tensor, loss: Tensor, error: Tensor
) -> list[LowerBound]:
    """Every proven floor of trained autoencoders, with 5 standard errors of room for the losses.

    Args:
        model: the instances.
        features: what they were trained on.
        importance: (instances, n_features) or (n_features,).
        loss: (instances,) the mean over samples and features, as `evaluate` measures it.
        error: (instances,) its standard error.
    """
    n, m = model.shape.n_features, model.shape.d_hidden
    weight = importance.double().cpu().expand(len(features.density), n)
    lower_bounds = {"mean squared error, any decoder (entropy)": entropy_bound(features, weight, m)}
    if model.shape.output == "linear" and model.shape.hidden == "linear":
        lower_bounds["mean squared error, linear (principal components)"] = pca_bound(
            features, weight, m
        )
    checked = [
        LowerBound(
            i,
            bound,
            float(loss[i]),
            float(lower_bound[i]),
            bool(loss[i] + 5 * error[i] >= lower_bound[i]),
        )
        for bound, lower_bound in lower_bounds.items()
        for i in range(len(loss))
    ]
    return checked + capacity_bounds(model)


def capacity_bounds(model: ToyModel) -> list[LowerBound]:
    """The D_i of each instance add up to no more than d_hidden; holds for any task."""
    spent = feature_dimensionality(model.encoder.double().cpu()).sum(-1)
    return [
        LowerBound(i, "d_hidden minus the sum of D_i", float(left), 0.0, bool(left >= -1e-9))
        for i, left in enumerate(model.shape.d_hidden - spent)
    ]


def pca_bound(features: Features, importance: Tensor, d_hidden: int) -> Tensor:
    """Least mean loss (instances,) of any affine map of rank d_hidden.

    The sum of the smallest n - d_hidden eigenvalues of the importance-weighted covariance, over n.
    """
    root = importance.sqrt()
    weighted = root.unsqueeze(-1) * features.covariance() * root.unsqueeze(-2)
    left = torch.linalg.eigvalsh(weighted)[:, : max(0, features.n_features - d_hidden)]
    return left.clamp_min(0).sum(-1) / features.n_features


def entropy_bound(features: Features, importance: Tensor, d_hidden: int) -> Tensor:
    """A mean loss (instances,) that no decoder of a d_hidden-dimensional linear code can beat.

    Given which k > d features are active, these are uniform in a unit cube, and the code leaves
    slices of it of dimension k - d. A uniform slice of volume v has at least the variance of the
    Gaussian of the same entropy, (k-d) v^(2/(k-d)) / (2πe); the slices' volumes integrate to 1
    over the cube's projection, whose own volume is at most sqrt(C(k, d)) (Cauchy-Binet). By
    Jensen the expected variance is at least (k-d) C(k, d)^(-1/(k-d)) / (2πe).
    """
    n = features.n_features
    variance = [
        (k - d_hidden) / (2 * math.pi * math.e) * math.comb(k, d_hidden) ** (-1 / (k - d_hidden))
        if k > d_hidden
        else 0.0
        for k in range(n + 1)
    ]
    side = 4.0 if features.signed else 1.0  # a cube of side 2 has four times the variance
    expected = features.active_counts() @ torch.tensor(variance, dtype=torch.float64)
    return side * importance.amin(-1) * expected / n


def broken(lower_bounds: Sequence[LowerBound]) -> list[LowerBound]:
    """Those that do not hold: a bug in the model, the loss or the proof."""
    return [lower_bound for lower_bound in lower_bounds if not lower_bound.holds]
