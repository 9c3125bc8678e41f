"""Phase diagrams: the trained models beside the exact optimum and the closed form."""

import numpy as np
import torch
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from torch import Tensor

from myopia.superposition import metrics
from myopia.superposition.figures import label, panels
from myopia.superposition.toy.data import Features
from myopia.superposition.toy.experiments.experiment import Result, experiment, train_autoencoders
from myopia.superposition.toy.model import Shape
from myopia.superposition.toy.optimum import antipodal_boundary, expected_loss, optimum
from myopia.superposition.toy.train import Training

POINTS = 12
STARTS = 4
SEARCHES = 24
"""Starts of the search for the optimum: with 4, trained models beat it at 11 of 144 points."""
DENSITIES = np.geomspace(0.02, 1, POINTS)
IMPORTANCES = np.geomspace(0.1, 10, POINTS)
PHASES = ("dropped", "in superposition", "on its own")
PHASE_COLOURS = ListedColormap(["#f4f1de", "#d1495b", "#30638e"])


@experiment(training=Training(steps=3000, learning_rate=3e-3), name="phases-2-in-1")
def two_in_one(training: Training) -> Result:
    """Phase diagram of 2 features in 1 dimension: dropped, alone or in superposition."""
    return _phases(2, 1, training)


@experiment(training=Training(steps=3000, learning_rate=3e-3), name="phases-3-in-2")
def three_in_two(training: Training) -> Result:
    """Phase diagram of 3 features in 2 dimensions: what becomes of the third."""
    return _phases(3, 2, training)


def _phases(n: int, d_hidden: int, training: Training) -> Result:
    """Best of four trained models at each point of the grid, and the best of theory there."""
    density, ratio = (torch.tensor(g.ravel()) for g in np.meshgrid(DENSITIES, IMPORTANCES))
    importance = torch.ones(len(density), n, dtype=torch.float64)
    importance[:, -1] = ratio
    features = Features(n, tuple(density.repeat(STARTS).tolist()))
    weights = importance.repeat(STARTS, 1)
    trained = train_autoencoders(Shape(n, d_hidden), features, training, weights)
    W, bias = trained.model.encoder.double().cpu(), trained.model.bias.double().cpu()
    losses = expected_loss(W, bias, density.repeat(STARTS), weights).reshape(STARTS, -1)
    best = losses.argmin(0) * len(density) + torch.arange(len(density))
    ideal, _, least = optimum(density, importance, d_hidden, SEARCHES, min(600, training.steps))
    rows = [
        {
            "density": float(density[i]),
            "importance": float(ratio[i]),
            "trained": PHASES[phase],
            "optimum": PHASES[exact],
            "trained loss": float(losses[:, i].min()),
            "optimal loss": float(least[i]),
        }
        for i, (phase, exact) in enumerate(zip(_phase(W[best]), _phase(ideal), strict=True))
    ]
    excess = [row["trained loss"] / row["optimal loss"] - 1 for row in rows]
    answer = {
        "agreement of the phases": float(np.mean([r["trained"] == r["optimum"] for r in rows])),
        "median excess of the trained loss": float(np.median(excess)),
        "least excess of the trained loss": float(np.min(excess)),
    }
    return Result(
        rows, answer, trained.lower_bounds, figure(rows, closed_form=(n, d_hidden) == (2, 1))
    )


def _phase(W: Tensor) -> list[int]:
    """What becomes of the last feature: an index into `PHASES`."""
    kept = metrics.represented_features(W)[:, -1]
    alone = metrics.feature_dimensionality(W)[:, -1] > 0.8
    return torch.where(kept, torch.where(alone, 2, 1), 0).tolist()


def figure(rows: list[dict], closed_form: bool) -> Figure:
    """Both diagrams; the line is where the antipodal pair beats a feature alone, in closed form."""
    drawing, axes = panels(1, 2, 7.5, 3.6, sharey=True)
    for axis, source in zip(axes[0], ("trained", "optimum"), strict=True):
        grid = np.array([PHASES.index(row[source]) for row in rows]).reshape(POINTS, POINTS)
        axis.pcolormesh(DENSITIES, IMPORTANCES, grid, cmap=PHASE_COLOURS, vmin=0, vmax=2)
        axis.set(xscale="log", yscale="log")
        title = "best of four trained" if source == "trained" else "exact optimum"
        label(axis, f"{title}: the last feature is", "density")
        if closed_form:
            fine = np.geomspace(IMPORTANCES[0], IMPORTANCES[-1], 200)
            edge = [antipodal_boundary(value) for value in fine]
            axis.plot(edge, fine, "k--", lw=1, label="closed form, $W=(1,-1)$, $b=0$")
    axes[0, 0].set_ylabel("importance of the last feature", fontsize=8)
    handles = [
        axes[0, 0].scatter([], [], marker="s", color=PHASE_COLOURS(i), edgecolor="0.5", label=name)
        for i, name in enumerate(PHASES)
    ]
    drawing.legend(
        handles=[*handles, *axes[0, 0].get_lines()], fontsize=8, loc="outside lower center", ncols=4
    )
    return drawing
