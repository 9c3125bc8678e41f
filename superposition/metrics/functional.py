"""Dimensionality of a map from features to decoded features."""

from myopia.superposition.metrics.arrays import Array, like, nonzero, tensor
from myopia.superposition.metrics.metric import metric


@metric(of="decoded", name="functional D_i")
def functional_dimensionality(M: Array) -> Array:
    """`M_ii^2 / sum_j M_ij^2`, shape (..., n); 0 for a zero row.

    M is (..., n, n); row i says how decoded feature i answers to every true feature. With
    M = WᵀW it equals `feature_dimensionality(W)`; unlike that, it does not depend on the basis
    or the scale of the layer between.

    Raises:
        ValueError: M is no finite real matrix, or is not square.
    """
    matrix = tensor(M, "M", 2)
    if matrix.shape[-1] != matrix.shape[-2]:
        raise ValueError(
            "M must be square, from n features to the same n features decoded, "
            f"but its shape is {tuple(matrix.shape)}"
        )
    largest = matrix.abs().amax(-1, keepdim=True)
    rows = matrix / nonzero(largest)
    total = rows.square().sum(-1)
    own = rows.diagonal(dim1=-2, dim2=-1).square()
    return like(own / nonzero(total), M)
