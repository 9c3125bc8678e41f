"""Linear readouts: the directions of features in a layer, and what can be decoded back.

For F (samples, n_features) and activations H (samples, d_hidden), both centred under the sample
weights. Everything is in float64.
"""

import torch
from torch import Tensor

from myopia.superposition.metrics.arrays import Array, sample_weights, tensor

CONDITION = 1e4
"""Standardised features with a condition number above this are called collinear."""


def standardise(F: Array, weights: Array | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """F with mean 0 and standard deviation 1 under the weights, and that mean and deviation.

    A constant feature becomes 0 and has deviation 0.

    Raises:
        ValueError: F is no finite real matrix, or the weights do not fit it.
    """
    features = tensor(F, "F", 2).double()
    share = sample_weights(weights, features).unsqueeze(-1)
    mean = (share * features).sum(-2)
    centred = features - mean
    spread = (share * centred.square()).sum(-2).sqrt()
    # the spread of a constant is rounding, of the size of its mean
    varies = spread > 1e-12 * mean.abs()
    spread = torch.where(varies, spread, 0.0)
    return torch.where(varies, centred / torch.where(varies, spread, 1.0), 0.0), mean, spread


def collinear_features(F: Array, weights: Array | None = None) -> list[int]:
    """Positions of the features (samples, n_features) that depend on each other linearly.

    Empty where the standardised features have a condition number of at most `CONDITION`. A
    constant feature counts as dependent.

    Raises:
        ValueError: F is no finite real matrix, or the weights do not fit it.
    """
    features = standardise(F, weights)[0]
    return _dependent(features * sample_weights(weights, features).sqrt().unsqueeze(-1))


def feature_directions(F: Array, H: Array, weights: Array | None = None) -> Tensor:
    """Coefficients (d_hidden, n_features) of the regression of H on F.

    Raises:
        ValueError: F is collinear (the features are named by their position), or does not fit H.
    """
    features, activations = _rooted(F, H, weights)
    _refuse_collinear(features)
    return torch.linalg.lstsq(features, activations, driver="gelsd").solution.T


def decoded_map(F: Array, H: Array, weights: Array | None = None) -> Tensor:
    """M (n_features, n_features): coefficients of F̂ regressed on F, F̂ the best linear readout.

    F̂ is the least-squares prediction of F from H. M does not change under any invertible linear
    map of the activations.

    Raises:
        ValueError: as `feature_directions`.
    """
    features, activations = _rooted(F, H, weights)
    _refuse_collinear(features)
    # F̂ = U Uᵀ F, with U an orthonormal basis of the space that the activations span
    basis, values, _ = torch.linalg.svd(_unit_columns(activations), full_matrices=False)
    kept = values > 1e-10 * values.max()
    decoded = basis[:, kept] @ (basis[:, kept].T @ features)
    return torch.linalg.lstsq(features, decoded, driver="gelsd").solution.T


def _rooted(F: Array, H: Array, weights: Array | None) -> tuple[Tensor, Tensor]:
    """Both centred, and rows multiplied by the root of their weight."""
    features, activations = tensor(F, "F", 2).double(), tensor(H, "H", 2).double()
    if features.ndim != 2 or activations.ndim != 2 or len(features) != len(activations):
        raise ValueError(
            "F and H must be (samples, ...) with the same samples, but their shapes are "
            f"{tuple(features.shape)} and {tuple(activations.shape)}"
        )
    share = sample_weights(weights, features).unsqueeze(-1)
    root = share.sqrt()
    return _centred(features, share) * root, _centred(activations, share) * root


def _centred(X: Tensor, share: Tensor) -> Tensor:
    return X - (share * X).sum(0)


def _unit_columns(X: Tensor) -> Tensor:
    norms = torch.linalg.vector_norm(X, dim=0)
    return X / torch.where(norms > 0, norms, 1.0)


def _refuse_collinear(features: Tensor) -> None:
    if culprits := _dependent(features):
        raise ValueError(
            f"features {culprits} are collinear (condition number above {CONDITION:g}, or "
            "constant), so that their directions are not defined: leave out all but one of them"
        )


def _dependent(features: Tensor) -> list[int]:
    _, values, directions = torch.linalg.svd(_unit_columns(features), full_matrices=False)
    if len(features) >= features.shape[1] and values[-1] * CONDITION > values[0]:
        return []
    return (directions[-1].abs() > 0.1).nonzero().flatten().tolist()
