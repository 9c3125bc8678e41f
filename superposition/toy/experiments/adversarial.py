"""Adversarial vulnerability against features per dimension."""

import math

import torch
from matplotlib.figure import Figure
from torch import Tensor

from myopia.superposition import metrics
from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.toy.data import Features
from myopia.superposition.toy.experiments.experiment import Result, experiment, train_autoencoders
from myopia.superposition.toy.model import Shape, ToyModel
from myopia.superposition.toy.train import Training

SHAPE = Shape(n_features=100, d_hidden=20)
DENSITIES = tuple(math.exp(-step / 2) for step in range(9))
RADIUS = 0.1
"""L2 norm of the attack."""
ATTACK_STEPS = 20


@experiment(training=Training(steps=5000, batch=384))
def adversarial(training: Training) -> Result:
    """Adversarial vulnerability, and whether it grows with features per dimension."""
    features = Features(SHAPE.n_features, DENSITIES)
    trained = train_autoencoders(SHAPE, features, training)
    generator = torch.Generator(training.device).manual_seed(training.seed + 2)
    x = features.sample(1024, generator)
    gap = attack(trained.model, x, RADIUS) - _error(trained.model, x, x)
    worst = gap.mean(1).cpu()
    rows = [
        {
            "density": density,
            "features per dimension": float(metrics.features_per_dimension(W)),
            "added error": float(worst[i]),
            "relative to dense": float(worst[i] / worst[0]),
            "loss": float(trained.loss[i]),
        }
        for i, (density, W) in enumerate(zip(DENSITIES, trained.model.encoder.cpu(), strict=True))
    ]
    across = torch.tensor([row["features per dimension"] for row in rows])
    correlation = torch.corrcoef(torch.stack([across, worst.to(across)]))[0, 1]
    answer = {
        "correlation with features per dimension": float(correlation),
        "largest over dense": max(row["relative to dense"] for row in rows),
    }
    return Result(rows, answer, trained.lower_bounds, figure(rows))


def attack(model: ToyModel, x: Tensor, radius: float) -> Tensor:
    """Largest squared error that ascent within an L2 ball finds: (instances, batch).

    The target stays the unattacked x, of shape (instances, n_features, batch). Where a ReLU is
    shut there is no slope to follow, so that every sample starts from the worst of the pushes
    along the rows of the linear path, to either side.
    """
    push = _worst_row(model, x, radius)
    worst = _error(model, x + push, x)
    for _ in range(ATTACK_STEPS):
        push.requires_grad_()
        (slope,) = torch.autograd.grad(_error(model, x + push, x).sum(), push)
        ahead = push.detach() / radius + slope / slope.norm(dim=1, keepdim=True).clamp_min(1e-9)
        push = radius * ahead / ahead.norm(dim=1, keepdim=True).clamp_min(1e-9)
        worst = torch.maximum(worst, _error(model, x + push, x))
    return worst.detach()


def _worst_row(model: ToyModel, x: Tensor, radius: float) -> Tensor:
    rows = model.linear_path()
    rows = radius * rows / rows.norm(dim=2, keepdim=True).clamp_min(1e-9)
    best, worst = torch.zeros_like(x), _error(model, x, x)
    for row in torch.cat([rows, -rows], dim=1).unbind(1):
        push = row.unsqueeze(-1).expand_as(x)
        error = _error(model, x + push, x)
        worse = (error > worst).unsqueeze(1)
        best, worst = torch.where(worse, push, best), torch.maximum(error, worst)
    return best


def _error(model: ToyModel, x: Tensor, target: Tensor) -> Tensor:
    return (target - model(x)).square().sum(1)


def figure(rows: list[dict]) -> Figure:
    """Added error and features per dimension by density, and one against the other."""
    drawing, axes = panels(1, 2, 7, 2.9)
    left, right = axes[0]
    across = [1 / row["density"] for row in rows]
    left.plot(across, [r["features per dimension"] for r in rows], "o-", color=COLOURS[0])
    left.plot(across, [r["relative to dense"] for r in rows], "s-", color=COLOURS[1])
    left.set_xscale("log")
    left.set_ylim(0, 1.35 * max(r["relative to dense"] for r in rows))
    left.legend(["features per dimension", "added error over dense"], fontsize=8, frameon=False)
    label(left, "by sparsity", "1 / density")
    right.plot(
        [r["features per dimension"] for r in rows],
        [r["relative to dense"] for r in rows],
        "o-",
        color=COLOURS[2],
    )
    label(right, f"error added by an L2 push of {RADIUS}, over dense", "features per dimension")
    return drawing
