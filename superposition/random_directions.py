"""Random directions that are alike a given one in every respect but where they point."""

import torch
from torch import Generator, Tensor

STEEPEST = 30.0
"""The sampled tilt lies between minus and plus this."""


def matched_directions(
    direction: Tensor, quadratic: Tensor, count: int, generator: Generator
) -> Tensor:
    """Random (..., count, d) of the norm and the `uᵀ quadratic u` of `direction` (..., d).

    With `quadratic` the covariance of activations, a step along any of them is as long as one
    along `direction`, and as large beside what the activations vary by there. A Gaussian vector
    is drawn, then its components along the eigenvectors are tilted by a power of the
    eigenvalues, until the quadratic form is right: the Rayleigh quotient rises with the power.
    Directions in which the quadratic form is empty are left out.

    Raises:
        ValueError: `direction` is zero, or lies where `quadratic` is empty.
    """
    values, axes = torch.linalg.eigh(quadratic)
    kept = values > 1e-12 * values.max()
    values, axes = values[kept], axes[:, kept]
    inside = direction @ axes
    size = torch.linalg.vector_norm(inside, dim=-1)
    if not bool((size > 0).all()):
        raise ValueError("the direction is zero where activations vary: nothing can match it")
    target = ((values * inside.square()).sum(-1) / size.square()).unsqueeze(-1)
    shape = (*direction.shape[:-1], count)
    draws = torch.randn(*shape, len(values), generator=generator, dtype=values.dtype)
    logs = (values / target).log().unsqueeze(-2)

    def tilted(power: Tensor) -> Tensor:
        steep = power.unsqueeze(-1) * logs
        scaled = draws * (steep - steep.amax(-1, keepdim=True)).exp()
        return scaled / torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)

    low = torch.full(shape, -STEEPEST, dtype=values.dtype)
    high = -low
    for _ in range(60):
        middle = (low + high) / 2
        above = (tilted(middle).square() * values).sum(-1) > target
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return size[..., None, None] * tilted((low + high) / 2) @ axes.T
