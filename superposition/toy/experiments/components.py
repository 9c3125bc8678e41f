"""With fewer dimensions than correlated pairs need, a pair collapses to its principal component."""

import numpy as np
import torch
from matplotlib.figure import Figure

from myopia.superposition import metrics
from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.toy.data import Features
from myopia.superposition.toy.experiments.experiment import Result, experiment, train_autoencoders
from myopia.superposition.toy.lower_bounds import pca_bound
from myopia.superposition.toy.model import Shape
from myopia.superposition.toy.train import Training

PAIRS = 3
DENSITIES = tuple(float(p) for p in np.geomspace(0.02, 1, 10))
STARTS = 10


@experiment(training=Training(steps=4000))
def components(training: Training) -> Result:
    """Collapse to principal components: 3 correlated pairs in 3 dimensions, by density."""
    n, d_hidden = 2 * PAIRS, PAIRS
    features = Features(n, DENSITIES * STARTS, sets="correlated", group=2)
    curved = train_autoencoders(Shape(n, d_hidden), features, training)
    linear = train_autoencoders(Shape(n, d_hidden, output="linear"), features, training)
    within = torch.as_tensor(metrics.cosines(curved.model.encoder.cpu()))
    within = within[:, range(0, n, 2), range(1, n, 2)].mean(1).reshape(STARTS, -1)
    lower_bound = pca_bound(features, torch.ones(len(features.density), n).double(), d_hidden)
    losses = {"ReLU": curved.loss, "linear": linear.loss, "floor": lower_bound}
    tables = {name: values.reshape(STARTS, -1) for name, values in losses.items()}
    rows = [
        {
            "density": density,
            "cosine within pairs": float(within[:, i].mean()),
            "least cosine": float(within[:, i].min()),
            "largest cosine": float(within[:, i].max()),
            "loss": float(tables["ReLU"][:, i].mean()),
            "linear loss": float(tables["linear"][:, i].mean()),
            "principal components": float(tables["floor"][0, i]),
        }
        for i, density in enumerate(DENSITIES)
    ]
    collapsed = [row["density"] for row in rows if row["cosine within pairs"] > 0.9]
    answer = {
        "least density with pairs collapsed (cosine > .9)": min(collapsed, default=None),
        "largest linear loss over its floor": max(
            row["linear loss"] / row["principal components"] for row in rows
        ),
    }
    return Result(rows, answer, curved.lower_bounds + linear.lower_bounds, figure(rows))


def figure(rows: list[dict]) -> Figure:
    """The cosine within pairs, and the losses beside the floor of principal components."""
    drawing, axes = panels(1, 2, 7, 2.9)
    density = [row["density"] for row in rows]
    left, right = axes[0]
    left.plot(density, [row["cosine within pairs"] for row in rows], "o-", color=COLOURS[0])
    left.fill_between(
        density,
        [row["least cosine"] for row in rows],
        [row["largest cosine"] for row in rows],
        color=COLOURS[0],
        alpha=0.2,
        lw=0,
    )
    left.set_xscale("log")
    label(left, "cosine within correlated pairs", "density")
    for name, style, colour in (
        ("loss", "o-", COLOURS[0]),
        ("linear loss", "s", COLOURS[1]),
        ("principal components", "k--", None),
    ):
        shown = {"color": colour} if colour else {}
        right.plot(density, [row[name] for row in rows], style, ms=4, label=name, **shown)
    right.set(xscale="log", yscale="log")
    right.legend(fontsize=8, frameon=False)
    label(right, "mean squared error", "density")
    return drawing
