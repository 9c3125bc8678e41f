"""Direct logit attribution: what each unit of the last layer contributes to shutdown."""

import numpy as np
import torch
from matplotlib.figure import Figure

from myopia.analysis.representations.effects import shutdown_logit
from myopia.analysis.representations.inspection import Inspection, Rows, Tables, part
from myopia.superposition.figures import label, panels


def figure(tables: Tables) -> Figure:
    """Contributions of the units to the shutdown logit, by epoch."""
    drawing, axes = panels(1, 1, 5.5, 3.6)
    axis = axes[0, 0]
    units = tables["contributions"][:20]
    table = np.array([unit["by epoch"] for unit in units], dtype=float)
    table = table - np.nanmean(table, axis=1, keepdims=True)
    most = np.nanmax(np.abs(table))
    image = axis.imshow(table, cmap="PuOr", vmin=-most, vmax=most, aspect="auto")
    axis.set_yticks(range(len(units)), [str(unit["unit"]) for unit in units], fontsize=7)
    label(
        axis, "contribution to the shutdown logit, less its mean", "epoch", "unit of the last layer"
    )
    drawing.colorbar(image, ax=axis, fraction=0.04).ax.tick_params(labelsize=7)
    return drawing


@part(draw=figure)
def logit_attribution(inspection: Inspection) -> Tables:
    """Which units carry the index to shutdown: all of them a little, or a few?"""
    return {"contributions": _contributions(inspection)}


def _contributions(inspection: Inspection) -> Rows:
    """Direct contribution of each unit of the last hidden layer, those that vary most first."""
    network, share, states = inspection.networks.actor, inspection.share, inspection.states
    last = network.hidden()[-1]
    hidden = inspection.cache[f"{inspection.networks.acting}.{last + 1}"]
    weight = shutdown_logit(network.layers[-1].weight.T)
    sent = hidden * weight
    epochs = torch.from_numpy(states.epoch == np.arange(states.model.K)[:, None]).double()
    mass = epochs * share
    by_epoch = (mass @ sent) / mass.sum(1, keepdim=True)  # (K, units), NaN where never met
    spread = (share @ (sent - share @ sent).square()).sqrt()
    return [
        {
            "unit": int(unit),
            "weight": float(weight[unit]),
            "mean": float((share @ sent)[unit]),
            "deviation": float(spread[unit]),
            "by epoch": [None if np.isnan(v) else v for v in by_epoch[:, unit].tolist()],
        }
        for unit in spread.argsort(descending=True)
    ]
