"""How busy the neurons of a layer are, from activations H (..., samples, neurons)."""

import torch

from myopia.superposition.metrics.arrays import Array, like, sample_weights, tensor
from myopia.superposition.metrics.metric import metric


@metric(of="activations", only="relu")
def dormant_ratio(H: Array, tau: float = 0.025, weights: Array | None = None) -> Array:
    """Share of neurons with `E|h_i| <= tau * mean_k E|h_k|`, shape (...). For ReLU layers.

    Source: Sokar et al. 2023, arXiv 2302.12902, definition 1.

    Raises:
        ValueError: H is no finite real matrix, weights do not fit it, or tau is negative.
    """
    if not tau >= 0:
        raise ValueError(f"tau must not be negative, but is {tau}")
    activations = tensor(H, "H", 2)
    share = sample_weights(weights, activations).unsqueeze(-1)
    activity = (activations.abs() * share).sum(-2)
    # a neuron at the threshold up to rounding is dormant
    most = tau * activity.mean(-1, keepdim=True) * (1 + 4 * torch.finfo(activity.dtype).eps)
    dormant = activity <= most
    return like(dormant.to(activity.dtype).mean(-1), H)


@metric(of="activations", only="tanh")
def saturation(H: Array, threshold: float = 0.99, weights: Array | None = None) -> Array:
    """Share of the (sample, neuron) pairs with `|h| >= threshold`, shape (...). For tanh layers.

    Raises:
        ValueError: H is no finite real matrix, weights do not fit it, or threshold is not in
            (0, 1].
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must lie in (0, 1], but is {threshold}")
    activations = tensor(H, "H", 2)
    share = sample_weights(weights, activations).unsqueeze(-1)
    saturated = (activations.abs() >= threshold).to(activations.dtype)
    return like((saturated * share).sum(-2).mean(-1), H)
