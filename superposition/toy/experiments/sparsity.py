"""Sparsity sweep: how many features per dimension, and at which fractions D_i sticks."""

import math

import numpy as np
from matplotlib.figure import Figure

from myopia.superposition import metrics
from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.toy.data import Features
from myopia.superposition.toy.experiments.experiment import Result, experiment, train_autoencoders
from myopia.superposition.toy.model import Shape
from myopia.superposition.toy.train import Training

SHAPE = Shape(n_features=200, d_hidden=20)
DENSITIES = tuple(math.exp(-step / 3) for step in range(13))
FRACTIONS = {"3/4": 0.75, "2/3": 2 / 3, "1/2": 0.5, "2/5": 0.4, "3/8": 0.375}
"""Tetrahedron, triangle, digon, pentagon, square antiprism."""
NEAR = 0.01


@experiment(training=Training(steps=6000, batch=384))
def sparsity(training: Training) -> Result:
    """Sparsity sweep of 200 features in 20 dimensions: the fractions at which D_i sticks."""
    trained = train_autoencoders(SHAPE, Features(SHAPE.n_features, DENSITIES), training)
    W = trained.model.encoder.cpu()
    spectra = metrics.feature_dimensionality(W).numpy()
    norms = metrics.feature_norms(W).numpy()
    rows = [
        {
            "density": density,
            "dimensions per feature": float(metrics.dimensions_per_feature(W[i])),
            "sum of D_i / d_hidden": float(spectra[i].sum() / SHAPE.d_hidden),
            "represented": int((norms[i] > 0.5).sum()),
            **{
                f"at {name}": _share_near(spectra[i][norms[i] > 0.5], value)
                for name, value in FRACTIONS.items()
            },
            "loss": float(trained.loss[i]),
            "D_i": spectra[i].tolist(),
        }
        for i, density in enumerate(DENSITIES)
    ]
    stuck = {name: max(rows, key=lambda row: row[f"at {name}"]) for name in FRACTIONS}
    answer = {
        f"largest share at {name}": {
            "share": row[f"at {name}"],
            "at density": row["density"],
        }
        for name, row in stuck.items()
    }
    return Result(rows, answer, trained.lower_bounds, figure(rows))


def _share_near(spectrum: np.ndarray, value: float) -> float:
    """Share of the represented features with D_i at this value; 0 where none is represented."""
    return float(np.mean(np.abs(spectrum - value) < NEAR)) if len(spectrum) else 0.0


def figure(rows: list[dict]) -> Figure:
    """Features per dimension, and every D_i, against 1 / density."""
    drawing, axes = panels(2, 1, 6.5, 6, sharex=True, gridspec_kw={"height_ratios": [1, 2]})
    across = np.array([1 / row["density"] for row in rows])
    top, bottom = axes[:, 0]
    top.plot(across, [1 / row["dimensions per feature"] for row in rows], "o-", color=COLOURS[0])
    label(top, "features per dimension, $\\|W\\|_F^2 / d_{hidden}$")
    for x, row in zip(across, rows, strict=True):
        spectrum = np.array(row["D_i"])
        spread = x * np.exp(np.linspace(-0.1, 0.1, len(spectrum)))
        bottom.plot(spread, spectrum, ".", ms=2.5, color=COLOURS[1], alpha=0.5, mew=0)
    for name, value in FRACTIONS.items():
        bottom.axhline(value, color="0.75", lw=0.7, zorder=0)
        bottom.annotate(
            name, (1.01, value), xycoords=("axes fraction", "data"), fontsize=7, va="center"
        )
    bottom.set_xscale("log")
    label(bottom, "dimensionality $D_i$ of every feature", "1 / density")
    return drawing
