"""Five sparse features in two dimensions: how often they form a regular pentagon."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from myopia.superposition import metrics
from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.statistics import wilson
from myopia.superposition.toy.data import Features
from myopia.superposition.toy.experiments.experiment import Result, experiment, train_autoencoders
from myopia.superposition.toy.model import Shape
from myopia.superposition.toy.train import Training

STARTS = 100
DENSITY = 0.05
REGULAR = 0.01
"""A pentagon is regular when all five D_i are this close to 2/5."""


@experiment(training=Training())
def pentagon(training: Training) -> Result:
    """The pentagon: 5 features of density .05 in 2 dimensions, from 100 starts."""
    features = Features(5, (DENSITY,) * STARTS)
    trained = train_autoencoders(Shape(5, 2), features, training)
    x = features.sample(4096, torch.Generator(training.device).manual_seed(training.seed + 2))
    jacobian = metrics.functional_dimensionality(trained.model.mean_jacobian(x).cpu())
    W = trained.model.encoder.cpu()
    rows = [
        {
            "geometry": metrics.read_geometry(W[i]).name,
            "regular": bool(is_regular_pentagon(W[i])),
            "D_i": metrics.feature_dimensionality(W[i]).tolist(),
            "mean functional D_i of the Jacobian": float(jacobian[i].mean()),
            "dimensions per feature": float(metrics.dimensions_per_feature(W[i])),
            "loss": float(trained.loss[i]),
            "W": W[i].tolist(),
        }
        for i in range(STARTS)
    ]
    regular = [row for row in rows if row["regular"]]
    low, high = wilson(len(regular), STARTS)
    answer = {
        "share of regular pentagons": len(regular) / STARTS,
        "interval": [low, high],
        "geometries": dict(Counter(row["geometry"] for row in rows).most_common()),
        "D_i of regular ones": _mean(row["D_i"] for row in regular),
        "functional D_i of their mean Jacobian": _mean(
            row["mean functional D_i of the Jacobian"] for row in regular
        ),
        "dimensions per feature of regular ones": _mean(
            row["dimensions per feature"] for row in regular
        ),
    }
    return Result(rows, answer, trained.lower_bounds, figure(rows))


def _mean(values: Iterable[Any]) -> float | None:
    """None where there are none."""
    found = list(values)
    return float(np.mean(found)) if found else None


def is_regular_pentagon(W: Tensor) -> Tensor:
    """`|D_i - 2/5| < 0.01` for all five: (..., 2, 5) -> booleans (...)."""
    return torch.as_tensor((metrics.feature_dimensionality(W) - 0.4).abs() < REGULAR).all(-1)


def figure(rows: list[dict]) -> Figure:
    """The best model of each geometry, and the loss of every start."""
    best: dict[str, dict] = {}
    for row in sorted(rows, key=lambda row: row["loss"]):
        best.setdefault(row["geometry"], row)
    shown = list(best)[:4]
    drawing, axes = panels(1, len(shown) + 1, 2.2 * (len(shown) + 1) + 0.6, 2.7)
    for axis, name in zip(axes[0], shown, strict=False):
        for x, y in zip(*best[name]["W"], strict=True):
            axis.plot([0, x], [0, y], "-", color=COLOURS[0], lw=1)
            axis.plot(x, y, "o", color=COLOURS[0], ms=4)
        count = sum(row["geometry"] == name for row in rows)
        label(axis, f"{name}\n{count} of {len(rows)}")
        axis.set(xlim=(-1.7, 1.7), ylim=(-1.7, 1.7), aspect="equal", xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    strip = axes[0, -1]
    for place, name in enumerate(best):
        losses = [row["loss"] for row in rows if row["geometry"] == name]
        spread = place + np.linspace(-0.2, 0.2, len(losses)) if len(losses) > 1 else [place]
        strip.plot(spread, losses, ".", color=COLOURS[place % len(COLOURS)])
    strip.set_xticks(range(len(best)), list(best), rotation=25, ha="right")
    label(strip, "loss of every start")
    return drawing
