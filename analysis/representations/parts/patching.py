"""Activation patching: activations of one epoch put into another, unit by unit."""

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from myopia.analysis.representations.effects import shutdown_logit
from myopia.analysis.representations.inspection import Inspection, Rows, Tables, part
from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.readout import feature_directions

MOST = 0.8
"""As many units are counted as it takes for this share of the whole effect."""


def figure(tables: Tables) -> Figure:
    """How much of what a patch does to the shutdown logit few units carry."""
    drawing, axes = panels(1, 1, 5.5, 3.6)
    axis = axes[0, 0]
    for number, row in enumerate(tables["patches"]):
        shares = row["share by units"]
        name = f"{row['layer']}, {row['from']} to {row['to']}"
        axis.plot(range(len(shares)), shares, color=COLOURS[number], label=name)
        if row["along the index"] is not None:
            axis.plot(len(shares) - 1, row["along the index"], "o", color=COLOURS[number], ms=5)
    axis.axhline(1, color="0.8", lw=0.8, zorder=0)
    label(axis, "share of the change in the shutdown logit", "units patched, largest effect first")
    axis.plot([], [], "o", color="0.4", ms=5, label="along the index direction alone")
    axis.legend(fontsize=7, frameon=False)
    return drawing


@part(draw=figure)
def patching(inspection: Inspection) -> Tables:
    """Activation patching: how many units carry one epoch's shutdown into another?"""
    return {"patches": _patches(inspection)}


def _patches(inspection: Inspection) -> Rows:
    """Activations of one epoch put into another: the same state, a different displayed index.

    Between the last epoch before the cutoff and the cutoff, both ways; without a cutoff, between
    the first epoch and the last.
    """
    world, states = inspection.world, inspection.states
    first, second = 0, world.max_epochs - 1
    if world.cutoff is not None and 0 < world.cutoff < world.max_epochs:
        first, second = world.cutoff - 1, world.cutoff
    seen = [
        torch.from_numpy(states.show("index", np.full(len(states), index)))
        for index in (first, second)
    ]
    if first == second or torch.equal(*seen):
        inspection.reasons["patching"] = "the agent is not shown the index"
        return []
    rows = []
    for position in inspection.networks.actor.hidden():
        for at, (source, target) in enumerate(((second, first), (first, second))):
            rows.append(_patch(inspection, position, seen[1 - at], seen[at], source, target))
    return rows


def _patch(
    inspection: Inspection, position: int, source: Tensor, target: Tensor, index: int, into: int
) -> dict:
    network, share = inspection.networks.actor, inspection.share
    layer = f"{inspection.networks.acting}.{position + 1}"
    there, here = network.activations(source, position), network.activations(target, position)

    def effect(hidden: Tensor) -> float:
        after = network.onward(hidden, position)
        return float(share @ (shutdown_logit(after) - shutdown_logit(network(target))))

    whole, units = effect(there), here.shape[1]
    alone = torch.empty(units, dtype=torch.float64)
    for unit in range(units):
        patched = here.clone()
        patched[:, unit] = there[:, unit]
        alone[unit] = effect(patched)
    order = (alone * np.sign(whole)).argsort(descending=True)
    together = [0.0]
    patched = here.clone()
    for unit in order.tolist():
        patched[:, unit] = there[:, unit]
        together.append(effect(patched) / whole if whole else 0.0)
    before = inspection.networks.onward(here, position)
    after = inspection.networks.onward(there, position)
    along = None
    index_columns = inspection.features.of("index")
    if len(index_columns) == 1 and not inspection.features.collinear:
        columns = feature_directions(inspection.features.values, inspection.cache[layer], share)
        unit_vector = columns[:, index_columns[0]] / columns[:, index_columns[0]].norm()
        moved = here + ((there - here) @ unit_vector).unsqueeze(1) * unit_vector
        along = effect(moved) / whole if whole else None
    return {
        "layer": layer,
        "from": index,
        "to": into,
        "shutdown logit": whole,
        "total variation": float((after - before).abs().sum(1) @ share / 2),
        "units for most": int(np.argmax(np.array(together) >= MOST)),
        "along the index": along,
        "largest unit": int(order[0]),
        "its share": float(alone[order[0]]) / whole if whole else None,
        "share by units": together,
    }
