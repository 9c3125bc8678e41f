"""How the representation came about: the same readings over the snapshots of a training run."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from myopia.analysis.representations.inspection import Inspection, Rows, Tables, part
from myopia.analysis.representations.parts.linear_decoder import FOLDS, groups_without
from myopia.analysis.representations.policy_networks import PolicyNetworks, activations
from myopia.superposition.erasure import erase
from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.linear_decoder import held_out_r2, whole_groups
from myopia.superposition.metrics import (
    effective_rank,
    feature_dimensionality,
    functional_dimensionality,
)
from myopia.superposition.readout import decoded_map, feature_directions

SHOWN = {
    "return": "return",
    "effective rank": "effective rank",
    "D_i of the index": "$D_i$ of the index",
    "probe of the index": "held-out R² of the index",
    "erasing the index": "effect of erasing the index",
}


def figure(tables: Tables) -> Figure:
    """Every reading against the steps of training, a line for each layer of the acting tower."""
    rows = tables["training"]
    drawing, axes = panels(1, len(SHOWN), 2.6 * len(SHOWN), 2.6)
    layers = list(dict.fromkeys(row["layer"] for row in rows))
    for axis, (key, title) in zip(axes[0], SHOWN.items(), strict=True):
        for number, layer in enumerate(layers):
            own = [row for row in rows if row["layer"] == layer and row[key] is not None]
            axis.plot(
                [row["steps"] / 1000 for row in own],
                [row[key] for row in own],
                "o-",
                ms=3,
                color=COLOURS[number],
                label=layer,
            )
        if key == "probe of the index":
            axis.set_ylim(-0.05, 1.05)
        label(axis, title, "thousand steps")
    if layers:
        axes[0, -1].legend(fontsize=7, frameon=False)
    return drawing


@part(draw=figure)
def training(inspection: Inspection) -> Tables:
    """How did the representation of the index change over training?"""
    if not inspection.snapshots:
        inspection.reasons["training"] = "the run keeps no snapshots of its weights"
    rows: Rows = []
    for steps, networks in inspection.snapshots.items():
        rows += _reading(inspection, steps, networks)
    return {"training": rows}


def _reading(inspection: Inspection, steps: int, networks: PolicyNetworks) -> Rows:
    """A row for each hidden layer of the acting tower, on the states of the finished agent."""
    features, share = inspection.features, inspection.share
    at = features.of("index")
    readable = bool(at) and not features.collinear
    cache = activations(networks, inspection.observations)
    before = networks(inspection.observations)
    rows = []
    for position in networks.actor.hidden():
        layer = f"{networks.acting}.{position + 1}"
        hidden = cache[layer]
        row = {
            "steps": steps,
            "layer": layer,
            "return": inspection.states.total(before),
            "effective rank": float(effective_rank(hidden, weights=share)),
            "D_i of the index": None,
            "functional D_i of the index": None,
            "probe of the index": None,
            "erasing the index": None,
        }
        if readable:
            columns = feature_directions(features.values, hidden, share)
            decoded = decoded_map(features.values, hidden, share)
            concept = features.values[:, at]
            erased = networks.onward(erase(hidden, concept, share)(hidden), position)
            row |= {
                "D_i of the index": float(feature_dimensionality(columns)[at].mean()),
                "functional D_i of the index": float(functional_dimensionality(decoded)[at].mean()),
                "probe of the index": _probe(inspection, hidden),
                "erasing the index": float((erased - before).abs().sum(1) @ share / 2),
            }
        rows.append(row)
    return rows


def _probe(inspection: Inspection, hidden: Tensor) -> float | None:
    """Held-out R² of the index; None where the other variables form one group only."""
    groups = groups_without(inspection, "index")
    if (groups == groups[0]).all():
        return None
    index = torch.from_numpy(inspection.states.variables["index"]).unsqueeze(1)
    folds = whole_groups(groups, FOLDS, inspection.generator(3))
    return float(held_out_r2(hidden, index, folds, inspection.share))
