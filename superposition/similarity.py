"""How alike two layers are that saw the same samples; their units need not correspond."""

import torch
from torch import Tensor

from myopia.superposition.metrics.arrays import Array, sample_weights, tensor


def linear_cka(X: Array, Y: Array, weights: Array | None = None) -> float:
    """Centred kernel alignment `||XᵀY||_F^2 / (||XᵀX||_F ||YᵀY||_F)`, in [0, 1].

    1 for layers (samples, units) that are equal up to rotation, shift and one scale.

    Source: Kornblith et al. 2019, arXiv 1905.00414, equation 4 and section 3.

    Raises:
        ValueError: no finite real matrices of the same samples, or one of them is constant.
    """
    x, y = _centred(X, Y, weights)
    return float((x.T @ y).square().sum() / ((x.T @ x).norm() * (y.T @ y).norm()))


def procrustes_distance(X: Array, Y: Array, weights: Array | None = None) -> float:
    """`1 - ||XᵀY||_*` at ||X||_F = ||Y||_F = 1, centred: in [0, 1], 0 up to rotation and scale.

    Half the squared distance between the layers (samples, units) after the best rotation.

    Source: Ding et al. 2021, arXiv 2108.01661, section 3.

    Raises:
        ValueError: as `linear_cka`.
    """
    x, y = _centred(X, Y, weights)
    return max(0.0, 1 - float(torch.linalg.svdvals(x.T @ y).sum()))


def _centred(X: Array, Y: Array, weights: Array | None) -> tuple[Tensor, Tensor]:
    both = tensor(X, "X", 2).double(), tensor(Y, "Y", 2).double()
    if len(both[0]) != len(both[1]):
        raise ValueError(
            f"X and Y must have the same samples, but have {len(both[0])} and {len(both[1])}"
        )
    share = sample_weights(weights, both[0]).unsqueeze(1)
    rooted = [(one - (share * one).sum(0)) * share.sqrt() for one in both]
    if not all(one.norm() > 0 for one in rooted):
        raise ValueError("a layer is constant over the samples: there is nothing to compare")
    return rooted[0] / rooted[0].norm(), rooted[1] / rooted[1].norm()
