"""Features that come together, and features that exclude each other, four in two dimensions."""

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from myopia.superposition import metrics
from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.toy.data import Features
from myopia.superposition.toy.experiments.experiment import Result, experiment, train_autoencoders
from myopia.superposition.toy.model import Shape
from myopia.superposition.toy.train import Training

STARTS = 30
DENSITY = 0.05
KINDS = ("independent", "correlated", "anticorrelated")


@experiment(training=Training(steps=5000))
def correlated(training: Training) -> Result:
    """Correlated sets: whether pairs that come together are orthogonal, excluding ones opposite."""
    rows, lower_bounds = [], []
    for kind in KINDS:
        group = 1 if kind == "independent" else 2
        features = Features(4, (DENSITY,) * STARTS, sets=kind, group=group)
        trained = train_autoencoders(Shape(4, 2), features, training)
        lower_bounds += trained.lower_bounds
        W = trained.model.encoder.cpu()
        for i, pairs in enumerate(_pairs(W)):
            rows += [
                {
                    "features": kind,
                    "start": i,
                    "pair": pair,
                    "cosine": float(cosine),
                    "geometry": metrics.read_geometry(W[i]).name,
                    "loss": float(trained.loss[i]),
                    "W": W[i].tolist(),
                }
                for pair, cosine in enumerate(pairs)
            ]
    answer = {}
    for kind in KINDS:
        cosines = np.array([row["cosine"] for row in rows if row["features"] == kind])
        answer[kind] = {
            "pairs orthogonal (|cosine| < .1)": float(np.mean(np.abs(cosines) < 0.1)),
            "pairs opposite (cosine < -.9)": float(np.mean(cosines < -0.9)),
        }
    return Result(rows, answer, lower_bounds, figure(rows))


def _pairs(W: Tensor) -> Tensor:
    """Cosines of features 0 and 1, and of 2 and 3: (instances, 2)."""
    cosines = torch.as_tensor(metrics.cosines(W))
    return torch.stack([cosines[:, 0, 1], cosines[:, 2, 3]], dim=1)


def figure(rows: list[dict]) -> Figure:
    """The best model of each kind, pairs by colour, above the cosines within all pairs."""
    drawing, axes = panels(2, 3, 6.5, 4.3, gridspec_kw={"height_ratios": [1.6, 1]})
    for kind, axis, below in zip(KINDS, axes[0], axes[1], strict=True):
        own = [row for row in rows if row["features"] == kind]
        best = min(own, key=lambda row: row["loss"])
        for i, (x, y) in enumerate(zip(*best["W"], strict=True)):
            axis.plot([0, x], [0, y], color=COLOURS[i // 2], lw=1)
            axis.plot(x, y, "o", color=COLOURS[i // 2])
        axis.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal", xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
        label(axis, f"{kind}, best of {STARTS}")
        below.hist([row["cosine"] for row in own], bins=np.linspace(-1, 1, 21), color="0.5")
        label(below, "", "cosine within a pair")
    axes[1, 0].set_ylabel("pairs", fontsize=8)
    return drawing
