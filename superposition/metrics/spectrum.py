"""How many directions the activations X (..., samples, neurons) fill, by their singular values.

X is taken as given, not centred. With sample weights, row t counts `weights[t]` times; whole
weights are the same as repeating rows. All raise ValueError for input that is no finite real
matrix or for weights that do not fit it, and give 0 for X = 0.
"""

import torch
from torch import Tensor

from myopia.superposition.metrics.arrays import Array, like, nonzero, sample_weights, tensor
from myopia.superposition.metrics.metric import metric


@metric(of="activations")
def effective_rank(X: Array, weights: Array | None = None) -> Array:
    """`exp(entropy of σ / Σσ)`, shape (...). Source: Roy and Vetterli, EUSIPCO 2007."""
    share = _shares(_singular_values(X, weights))
    entropy = torch.special.entr(share).sum(-1)
    return like(torch.where(share.sum(-1) > 0, entropy.exp(), 0.0), X)


@metric(of="activations")
def participation_ratio(X: Array, weights: Array | None = None) -> Array:
    """`(Σλ)^2 / Σλ^2` with λ = σ^2, uncentred, shape (...)."""
    # shares before squares: the squares of very large or small ones are no numbers
    share = _shares(_shares(_singular_values(X, weights)).square())
    squares = share.square().sum(-1)
    return like(torch.where(squares > 0, 1 / nonzero(squares), 0.0), X)


@metric(of="activations")
def srank(X: Array, delta: float = 0.01, weights: Array | None = None) -> Array:
    """The least k whose first k singular values make up `1 - delta` of Σσ, shape (...).

    Source: Kumar et al. 2021, arXiv 2010.14498, definition 1.

    Raises:
        ValueError: also when delta is not in (0, 1).
    """
    if not 0 < delta < 1:
        raise ValueError(f"delta must lie between 0 and 1, but is {delta}")
    share = _shares(_singular_values(X, weights))
    # a share that is 1 - delta up to rounding is enough
    short = share.cumsum(-1) < (1 - delta) * (1 - 4 * torch.finfo(share.dtype).eps)
    return like(torch.where(share.sum(-1) > 0, short.sum(-1) + 1, 0), X)


def _singular_values(X: Array, weights: Array | None) -> Tensor:
    matrix = tensor(X, "X", 2)
    share = sample_weights(weights, matrix)
    return torch.linalg.svdvals(matrix * share.sqrt().unsqueeze(-1))


def _shares(values: Tensor) -> Tensor:
    return values / nonzero(values.sum(-1, keepdim=True))
