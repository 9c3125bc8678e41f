"""Metrics of a weight matrix W (..., d_hidden, n_features): one column W_i per feature.

Every function takes numpy or torch, batched over leading axes, and gives back the same kind.
`feature_axis=-2` reads matrices stored the other way round, (..., n_features, d_hidden).
All raise ValueError, in one sentence, for input that is no finite real matrix.
"""

import torch
from torch import Tensor

from myopia.superposition.metrics.arrays import Array, columns, like, nonzero
from myopia.superposition.metrics.metric import metric


def features_per_dimension(W: Array, feature_axis: int = -1) -> Array:
    """`||W||_F^2 / d_hidden`, shape (...). Not scale free: W -> cW multiplies it by c^2.

    Source: Elhage et al. 2022, arXiv 2209.10652, "The geometry of superposition".
    """
    matrix = columns(W, feature_axis)
    return like(matrix.square().sum((-1, -2)) / matrix.shape[-2], W)


@metric(of="columns")
def dimensions_per_feature(W: Array, feature_axis: int = -1) -> Array:
    """`d_hidden / ||W||_F^2`, shape (...): the inverse of `features_per_dimension`, inf at W = 0.

    Source: Elhage et al. 2022, arXiv 2209.10652.
    """
    matrix = columns(W, feature_axis)
    return like(matrix.shape[-2] / matrix.square().sum((-1, -2)), W)


def feature_norms(W: Array, feature_axis: int = -1) -> Array:
    """`||W_i||`, shape (..., n_features): to be read beside D_i, which is discontinuous at 0."""
    return like(_norms(columns(W, feature_axis)), W)


def represented_features(W: Array, feature_axis: int = -1, threshold: float = 0.5) -> Array:
    """Which features a toy model represents, `||W_i|| > threshold`: booleans (..., n_features)."""
    return like(_norms(columns(W, feature_axis)) > threshold, W)


@metric(of="columns", name="D_i")
def feature_dimensionality(W: Array, feature_axis: int = -1) -> Array:
    """`D_i = ||W_i||^2 / sum_j (Ŵ_i . W_j)^2`, shape (..., n_features); 0 for a zero column.

    In [0, 1]; the sum over i is at most the rank of W.

    Source: Elhage et al. 2022, arXiv 2209.10652, "Feature dimensionality".
    """
    matrix = columns(W, feature_axis)
    norms = _norms(matrix)
    # (Ŵ_i . Ŵ_j) ||W_j|| / ||W_i||, squared and summed: nothing here is of the size of W^2
    ratio = norms.unsqueeze(-2) / nonzero(norms).unsqueeze(-1)
    shared = (_cosines(matrix) * ratio).square().sum(-1)
    return like(torch.where(norms > 0, 1 / nonzero(shared), 0.0), W)


def capacity(W: Array, feature_axis: int = -1) -> Array:
    """`(W_i . W_i)^2 / sum_j (W_i . W_j)^2`, shape (..., n_features); equals D_i.

    Source: Scherlis et al. 2022, arXiv 2210.01892, equation 1.
    """
    matrix = columns(W, feature_axis)
    largest = matrix.abs().amax((-1, -2), keepdim=True)
    gram = _gram(matrix / nonzero(largest))
    own = gram.diagonal(dim1=-2, dim2=-1).square()
    return like(own / nonzero(gram.square().sum(-1)), W)


def interference_matrix(W: Array, feature_axis: int = -1) -> Array:
    """`(Ŵ_i . W_j)^2` in row i, column j, and 0 on the diagonal: (..., n_features, n_features)."""
    matrix = columns(W, feature_axis)
    shared = (_cosines(matrix) * _norms(matrix).unsqueeze(-2)).square()
    return like(shared - torch.diag_embed(shared.diagonal(dim1=-2, dim2=-1)), W)


@metric(of="columns")
def interference(W: Array, feature_axis: int = -1) -> Array:
    """`sum over j != i of (Ŵ_i . W_j)^2`, shape (..., n_features); 0 for a zero column.

    Source: Elhage et al. 2022, arXiv 2209.10652, the colour of its feature plots.
    """
    return interference_matrix(W, feature_axis).sum(-1)


def cosines(W: Array, feature_axis: int = -1) -> Array:
    """`Ŵ_i . Ŵ_j`, shape (..., n_features, n_features); 0 in the row of a zero column."""
    return like(_cosines(columns(W, feature_axis)), W)


def _gram(matrix: Tensor) -> Tensor:
    return matrix.transpose(-1, -2) @ matrix


def _norms(matrix: Tensor) -> Tensor:
    largest = matrix.abs().amax(-2)
    return torch.linalg.vector_norm(matrix / nonzero(largest).unsqueeze(-2), dim=-2) * largest


def _cosines(matrix: Tensor) -> Tensor:
    # divided twice, so that columns far below the square root of the smallest float stay columns
    scaled = matrix / nonzero(matrix.abs().amax(-2, keepdim=True))
    return _gram(scaled / nonzero(torch.linalg.vector_norm(scaled, dim=-2, keepdim=True)))
