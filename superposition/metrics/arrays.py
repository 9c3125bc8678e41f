"""The door of every metric: numpy or torch in, checked once, the same kind out."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

Array = Any
"""A numpy array or a torch tensor (anything that `numpy.asarray` takes will do)."""


def tensor(value: Array, name: str, dims: int) -> Tensor:
    """`value` as a floating tensor with at least `dims` axes, none of the last `dims` empty.

    Integers and booleans become float64; floats keep their precision (half ones become float32,
    in which sums of squares are safe).

    Raises:
        ValueError: not numeric, too few axes, an empty axis, or an entry that is not finite.
    """
    if not isinstance(value, Tensor):
        value = np.asarray(value)
        if value.dtype.kind not in "fiub":
            raise ValueError(f"{name} must hold real numbers, but its type is {value.dtype}")
        # torch takes no negative strides and warns about memory that may not be written
        value = torch.from_numpy(np.array(value, copy=True))
    if value.is_complex():
        raise ValueError(f"{name} must hold real numbers, but its type is {value.dtype}")
    if value.dtype in (torch.float16, torch.bfloat16):
        value = value.to(torch.float32)
    if not value.is_floating_point():
        value = value.to(torch.float64)
    if value.ndim < dims or 0 in value.shape[value.ndim - dims :]:
        raise ValueError(
            f"{name} must have at least {dims} axes and no empty one, "
            f"but its shape is {tuple(value.shape)}"
        )
    if not torch.isfinite(value).all():
        raise ValueError(f"{name} must be finite, but it holds NaN or infinity")
    return value


def columns(W: Array, feature_axis: int = -1) -> Tensor:
    """W as a tensor (..., d_hidden, n_features), features last whatever `feature_axis` says.

    Raises:
        ValueError: as `tensor`, or `feature_axis` is not one of the last two axes.
    """
    matrix = tensor(W, "W", 2)
    axis = feature_axis - matrix.ndim if feature_axis >= 0 else feature_axis
    if axis not in (-1, -2):
        raise ValueError(
            f"feature_axis must name one of the last two axes of W, of shape "
            f"{tuple(matrix.shape)}, but is {feature_axis}: use -1 or -2"
        )
    return matrix if axis == -1 else matrix.transpose(-1, -2)


def sample_weights(weights: Array | None, X: Tensor) -> Tensor:
    """Weights (..., samples) that sum to 1 over the samples of X (..., samples, neurons).

    Raises:
        ValueError: as `tensor`, the wrong number of them, a negative one, or a sum of zero.
    """
    samples = X.shape[-2]
    if weights is None:
        return X.new_full((samples,), 1 / samples)
    given = tensor(weights, "weights", 1).to(X)
    if given.shape[-1] != samples:
        raise ValueError(f"weights must be one per sample, {samples}, but are {given.shape[-1]}")
    total = given.sum(-1, keepdim=True)
    if (given < 0).any() or (total <= 0).any():
        raise ValueError("weights must not be negative and must not sum to zero")
    return given / total


def nonzero(value: Tensor) -> Tensor:
    """`value` with 1 in the place of 0: a divisor that leaves zeros at zero."""
    return torch.where(value > 0, value, torch.ones_like(value))


def like(result: Tensor, given: Array) -> Array:
    """`result` as the kind of array that was given: torch for torch, numpy for the rest."""
    return result if isinstance(given, Tensor) else result.numpy()
