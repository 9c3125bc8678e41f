"""Least-squares concept erasure: activations from which a concept can no longer be read linearly.

Source: Belrose et al. 2023, "LEACE: Perfect linear concept erasure in closed form",
arXiv 2306.03819, theorem 4.3.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from myopia.superposition.metrics.arrays import Array, sample_weights, tensor
from myopia.superposition.readout import standardise

NEGLIGIBLE = 1e-10
"""Directions with less than this share of the largest standard deviation count as empty."""


@dataclass(frozen=True)
class Erasure:
    """The affine map `h - away (toward (h - mean))`: of all that erase, the one that moves least.

    mean (d_hidden,), away (d_hidden, rank), toward (rank, d_hidden).
    """

    mean: Tensor
    away: Tensor
    toward: Tensor

    def __call__(self, H: Tensor) -> Tensor:
        """Activations (..., d_hidden) without the concept."""
        return H - (H - self.mean) @ self.toward.T @ self.away.T


def erase(H: Array, Z: Array, weights: Array | None = None) -> Erasure:
    """The erasure of concepts Z (samples, n_concepts) from activations H (samples, d_hidden).

    Where H says nothing of Z, nothing is moved.

    Raises:
        ValueError: H or Z is no finite real matrix, or they do not fit each other.
    """
    activations, concept = tensor(H, "H", 2).double(), tensor(Z, "Z", 2).double()
    if len(activations) != len(concept):
        raise ValueError(
            f"H and Z must have the same samples, but have {len(activations)} and {len(concept)}"
        )
    share = sample_weights(weights, activations).unsqueeze(-1)
    mean = (share * activations).sum(0)
    rooted = (activations - mean) * share.sqrt()
    _, values, axes = torch.linalg.svd(rooted, full_matrices=False)
    kept = values > NEGLIGIBLE * values.max()
    values, axes = values[kept], axes[kept]
    crossed = rooted.T @ (standardise(concept, share.squeeze(-1))[0] * share.sqrt())
    # whitened, the concept takes a few orthogonal directions; these go, and nothing else
    left, sizes, _ = torch.linalg.svd(axes @ crossed / values.unsqueeze(1), full_matrices=False)
    left = left[:, sizes > NEGLIGIBLE]
    return Erasure(
        mean, axes.T @ (values.unsqueeze(1) * left), left.T @ (axes / values.unsqueeze(1))
    )
