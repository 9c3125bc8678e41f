"""Linear probes: what can be read from activations, on samples that the probe has not seen."""

import torch
from torch import Generator, Tensor

from myopia.superposition.metrics.arrays import Array, nonzero, sample_weights, tensor
from myopia.superposition.readout import standardise

RIDGE = 1e-3
"""Penalty on the coefficients of a probe on standardised activations, as a share of a sample."""


def linear_r2(H: Array, Z: Array, weights: Array | None = None) -> Tensor:
    """R² (n_targets,) of the best linear readout of Z (samples, n_targets) from H, fitted to all.

    What no linear probe on these samples can exceed. Constant targets have R² 0.

    Raises:
        ValueError: H or Z is no finite real matrix, or they do not fit each other.
    """
    activations, targets, share = _prepared(H, Z, weights)
    root = share.sqrt().unsqueeze(1)
    basis, values, _ = torch.linalg.svd(activations * root, full_matrices=False)
    kept = values > 1e-10 * values.max()
    return (basis[:, kept].T @ (targets * root)).square().sum(0)


def held_out_r2(H: Array, Z: Array, folds: Tensor, weights: Array | None = None) -> Tensor:
    """R² (n_targets,) of ridge probes, each sample predicted by the probe that left its fold out.

    Args:
        H: activations (samples, d_hidden).
        Z: targets (samples, n_targets).
        folds: (samples,), the number of the fold of each sample; see `whole_groups`.
        weights: (samples,), how much each counts, in fitting and in scoring.

    Can be negative: a probe may do worse than the mean. Constant targets have R² 0.

    Raises:
        ValueError: H or Z is no finite real matrix, they do not fit each other, or there are
            fewer than 2 folds.
    """
    activations, targets, share = _prepared(H, Z, weights)
    numbers = folds.unique().tolist()
    if len(numbers) < 2:
        raise ValueError("there is one fold only: nothing would be left to fit a probe to")
    ones = torch.cat([activations, torch.ones(len(activations), 1, dtype=torch.float64)], dim=1)
    penalty = RIDGE * torch.eye(ones.shape[1], dtype=torch.float64)
    penalty[-1, -1] = 0  # the mean is free
    error = torch.zeros(targets.shape[1], dtype=torch.float64)
    for fold in numbers:
        out = folds == fold
        seen, unseen = ones[~out], ones[out]
        own = share[~out].unsqueeze(1)
        own = own / nonzero(own.sum())
        gram = seen.T @ (own * seen)
        solution = torch.linalg.solve(gram + penalty, seen.T @ (own * targets[~out]))
        gap = targets[out] - unseen @ solution
        error += (share[out].unsqueeze(1) * gap.square()).sum(0)
    varies = (share.unsqueeze(1) * targets.square()).sum(0) > 0.5
    return torch.where(varies, 1 - error, 0.0)


def whole_groups(groups: Tensor, count: int, generator: Generator) -> Tensor:
    """A fold (samples,) for each sample, at most `count` of them, no group (samples,) divided."""
    names, group = groups.unique(return_inverse=True)
    order = torch.randperm(len(names), generator=generator)
    return (order % count)[group]


def best_r2(observations: Array, Z: Array, weights: Array | None = None) -> Tensor:
    """R² (n_targets,) of E[Z | observation]: what no function of the observation can exceed.

    Raises:
        ValueError: as `linear_r2`.
    """
    _, targets, share = _prepared(observations, Z, weights)
    _, group = tensor(observations, "observations", 2).unique(dim=0, return_inverse=True)
    alike = torch.zeros(int(group.max()) + 1, targets.shape[1], dtype=torch.float64)
    alike.index_add_(0, group, share.unsqueeze(1) * targets)
    mass = torch.zeros(len(alike), dtype=torch.float64).index_add_(0, group, share)
    return (alike.square() / nonzero(mass).unsqueeze(1)).sum(0)


def _prepared(H: Array, Z: Array, weights: Array | None) -> tuple[Tensor, Tensor, Tensor]:
    activations, targets = tensor(H, "H", 2).double(), tensor(Z, "Z", 2).double()
    if len(activations) != len(targets):
        raise ValueError(
            f"activations and targets must have the same samples, but have {len(activations)} "
            f"and {len(targets)}"
        )
    share = sample_weights(weights, activations)
    return standardise(activations, share)[0], standardise(targets, share)[0], share
