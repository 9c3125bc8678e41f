"""Computing in superposition: the absolute value of more features than there are neurons."""

import numpy as np
import torch
from matplotlib.figure import Figure

from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.toy.data import Features
from myopia.superposition.toy.experiments.experiment import Result, experiment
from myopia.superposition.toy.lower_bounds import capacity_bounds
from myopia.superposition.toy.model import Shape
from myopia.superposition.toy.train import Training, train

SHAPE = Shape(n_features=40, d_hidden=16, decoder="untied", hidden="relu")
DENSITIES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
DECAY = 0.9
"""Importance of feature i is DECAY**i."""


@experiment(training=Training(steps=8000, batch=1024, learning_rate=3e-3))
def absolute(training: Training) -> Result:
    """Absolute value of 40 features by 16 ReLU neurons: how many are computed, by density."""
    features = Features(SHAPE.n_features, DENSITIES, signed=True)
    importance = DECAY ** torch.arange(SHAPE.n_features)
    model = train(SHAPE, features, importance, training, target=torch.abs)
    generator = torch.Generator(training.device).manual_seed(training.seed + 1)
    with torch.no_grad():
        x = features.sample(16_384, generator)
        gap = (x.abs() - model(x)).square().mean(2).cpu()
        explained = 1 - gap / x.abs().var(2).cpu()
    shares = model.encoder.cpu().square()
    shares = shares / shares.sum(2, keepdim=True)
    purity = shares.amax(2)
    rows = [
        {
            "density": density,
            "features computed": int((explained[i] > 0.75).sum()),
            "on one side only": int(((explained[i] > 0.25) & (explained[i] <= 0.75)).sum()),
            "neurons on one feature": int((purity[i] > 0.8).sum()),
            "weighted loss": float((importance * gap[i]).mean()),
            "explained": explained[i].tolist(),
            "purity": purity[i].tolist(),
        }
        for i, density in enumerate(DENSITIES)
    ]
    answer = {
        "most features computed": max(row["features computed"] for row in rows),
        "most features computed on one side at least": max(
            row["features computed"] + row["on one side only"] for row in rows
        ),
        "features computed when dense": rows[0]["features computed"],
        "two ReLUs each would allow": SHAPE.d_hidden // 2,
    }
    return Result(rows, answer, capacity_bounds(model), figure(rows))


def figure(rows: list[dict]) -> Figure:
    """Explained variance of every |x_i|, and how pure every neuron is, for each density."""
    drawing, axes = panels(1, 2, 8, 2.8, gridspec_kw={"width_ratios": [1.5, 1]})
    left, right = axes[0]
    explained = np.clip([row["explained"] for row in rows], 0, 1)
    image = left.imshow(explained, aspect="auto", cmap="viridis", vmin=0, vmax=1)
    left.set_yticks(range(len(rows)), [f"{row['density']:g}" for row in rows])
    label(left, "variance of $|x_i|$ explained", "feature, by falling importance", "density")
    drawing.colorbar(image, ax=left, fraction=0.04, pad=0.02).ax.tick_params(labelsize=7)
    for row, colour in zip(rows, COLOURS, strict=False):
        name = f"density {row['density']:g}"
        right.plot(sorted(row["purity"], reverse=True), ".-", lw=1, color=colour, label=name)
    right.set_ylim(0, 1.03)
    right.legend(fontsize=6, frameon=False)
    label(right, "largest share of one feature in a neuron", "neuron, sorted")
    return drawing
