"""The exact loss of small tied models by quadrature, its optimum, and closed forms.

Losses here are sums over the features of `importance * E[(x - x')^2]`, for independent features,
uniform in [0, 1] with probability `density` and else zero, and `x' = ReLU(WᵀW x + b)`.
"""

from itertools import product

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Generator, Tensor


def expected_loss(
    W: Tensor, bias: Tensor, density: Tensor, importance: Tensor, nodes: int = 24
) -> Tensor:
    """The loss (instances,) of tied ReLU models, exact up to the outer quadrature (about 1e-9).

    Args:
        W: (instances, d_hidden, n_features), with at most 4 features.
        bias: (instances, n_features).
        density: (instances,).
        importance: (instances, n_features).
        nodes: Gauss-Legendre nodes of each outer integral; the innermost is in closed form.

    Raises:
        ValueError: more features than 4 (the quadrature grows as nodes^(n-1)).
    """
    n = W.shape[-1]
    if n > 4:
        raise ValueError(f"the quadrature takes at most 4 features, but there are {n}")
    gram = W.transpose(-1, -2) @ W
    total = torch.zeros_like(density)
    for active in product((False, True), repeat=n):
        on = [i for i in range(n) if active[i]]
        chance = density ** len(on) * (1 - density) ** (n - len(on))
        gap = _pattern_gap(gram, bias, on[0], on[1:], nodes) if on else bias.relu().square()
        total = total + chance * (importance * gap).sum(-1)
    return total


def dropped_loss(density: float) -> float:
    """What a feature costs that is not represented, at its best bias: (1-S)(1+3S)/12, S = 1 - p."""
    return density * (4 - 3 * density) / 12


def antipodal_loss(density: float, importance: float) -> float:
    """The loss of W = (1, -1), b = 0, at importance (1, r): `p^2 (1 + r) / 6`."""
    return density**2 * (1 + importance) / 6


def antipodal_boundary(importance: float) -> float:
    """Density below which W = (1, -1), b = 0 beats W = (1, 0) or (0, 1), in closed form."""
    least = min(1.0, importance)
    return 4 * least / (2 * (1 + importance) + 3 * least)


def superposition_boundary(importance: float) -> float:
    """Density below which superposition is the optimum of 2 features in 1 dimension.

    At importance (1, r), against the better feature with the dimension to itself, which costs
    `min(1, r) * dropped_loss`.

    Raises:
        ValueError: importance is not positive.
    """
    if not importance > 0:
        raise ValueError(f"importance must be positive, but is {importance}")

    def advantage(density: float) -> float:
        alone = min(1.0, importance) * dropped_loss(density)
        # where no superposed minimum is left, the search ends in the other one: a tie is a loss
        return alone - best_superposed_loss(density, importance) - 1e-7

    low, high = 1e-3, 0.999
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (middle, high) if advantage(middle) > 0 else (low, middle)
    return low


def best_superposed_loss(density: float, importance: float) -> float:
    """Least loss near the antipodal pair, of 2 features in 1 dimension at importance (1, r)."""
    p, weight = torch.tensor([density]).double(), torch.tensor([[1.0, importance]]).double()

    def loss_and_gradient(values: np.ndarray) -> tuple[float, np.ndarray]:
        point = torch.tensor(values, requires_grad=True)
        loss = expected_loss(point[:2].reshape(1, 1, 2), point[2:].reshape(1, 2), p, weight).sum()
        (gradient,) = torch.autograd.grad(loss, point)
        return loss.item(), gradient.numpy()

    start = np.array([1.0, -1.0, 0.0, 0.0])
    return float(minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", tol=1e-14).fun)


def optimum(
    density: Tensor,
    importance: Tensor,
    d_hidden: int,
    starts: int = 8,
    steps: int = 1500,
    seed: int = 0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Best of many starts for every (density, importance): W, bias and loss, all at once.

    Args:
        density: (points,).
        importance: (points, n_features).
        d_hidden: dimensions.
        starts: random starts for each point.
        steps: of Adam, with a learning rate that falls to zero.
        seed: of the starts.
    """
    points, n = importance.shape
    generator = Generator().manual_seed(seed)
    density, importance = density.double(), importance.double()
    shape = (starts * points, d_hidden, n)
    W = torch.randn(shape, generator=generator, dtype=torch.float64).div_(d_hidden**0.5)
    bias = torch.zeros(starts * points, n, dtype=torch.float64)
    p, weight = density.repeat(starts), importance.repeat(starts, 1)
    W.requires_grad_()
    bias.requires_grad_()
    optimiser = torch.optim.Adam([W, bias], lr=0.03)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        optimiser.zero_grad()
        # few nodes will do to find the minimum; its loss is then taken with all of them
        expected_loss(W, bias, p, weight, nodes=8).sum().backward()
        optimiser.step()
        decay.step()
    with torch.no_grad():
        losses = expected_loss(W, bias, p, weight).reshape(starts, points)
        best = losses.argmin(0)
        at = best * points + torch.arange(points)
        return W[at].detach(), bias[at].detach(), losses.amin(0)


def _pattern_gap(gram: Tensor, bias: Tensor, inner: int, outer: list[int], nodes: int) -> Tensor:
    """E[(x - x')^2] of every feature, (instances, n), with exactly these features active."""
    n = bias.shape[-1]
    points, weights = np.polynomial.legendre.leggauss(nodes)
    grid = torch.tensor(list(product((points + 1) / 2, repeat=len(outer)))).to(gram)
    mass = torch.tensor([np.prod(w) for w in product(weights / 2, repeat=len(outer))]).to(gram)
    slope = gram[:, :, inner].unsqueeze(1)  # (instances, 1, n)
    offset = bias.unsqueeze(1) + grid @ gram[:, :, outer].transpose(1, 2)
    own = torch.zeros(len(grid), n).to(gram)
    own[:, outer] = grid
    rises = torch.zeros(n).to(gram)
    rises[inner] = 1
    return (mass.unsqueeze(-1) * _square_gap(own, rises, slope, offset)).sum(1)


def _square_gap(level: Tensor, rise: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    """Integral over x in [0, 1] of `(level + rise x - ReLU(slope x + offset))^2`."""
    crossing = (-offset / torch.where(slope == 0, 1.0, slope)).clamp(0, 1)
    low = torch.where(slope > 0, crossing, 0.0)
    high = torch.where(slope > 0, 1.0, torch.where(slope < 0, crossing, (offset > 0).to(slope)))
    saved_0 = (2 * level - offset) * offset
    saved_1 = 2 * (level * slope + rise * offset - slope * offset)
    saved_2 = (2 * rise - slope) * slope
    saved = (
        saved_0 * (high - low) + saved_1 / 2 * (high**2 - low**2) + saved_2 / 3 * (high**3 - low**3)
    )
    return level**2 + level * rise + rise**2 / 3 - saved
