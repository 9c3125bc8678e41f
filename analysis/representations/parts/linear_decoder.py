"""What can be read from each layer, beside what could be read without any training."""

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from myopia.analysis.representations.inspection import Inspection, Tables, part
from myopia.analysis.representations.policy_networks import activations
from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.linear_decoder import best_r2, held_out_r2, whole_groups

FOLDS = 5
UNTRAINED = 10
SHUFFLES = 20


def figure(tables: Tables) -> Figure:
    """Held-out R² by target: every layer, untrained networks, the observation, and the best."""
    rows = tables["linear_decoder"]
    targets = list(dict.fromkeys(row["target"] for row in rows))
    drawing, axes = panels(1, 1, 8, 1.6 + 0.42 * len(targets))
    axis = axes[0, 0]
    layers = list(dict.fromkeys(row["layer"] for row in rows))
    low = -0.05
    for number, layer in enumerate(layers):
        own = [row for row in rows if row["layer"] == layer]
        at = [targets.index(row["target"]) + 0.16 * (number - (len(layers) - 1) / 2) for row in own]
        colour = COLOURS[number]
        for y, row in zip(at, own, strict=True):
            ends = max(low, row["untrained low"]), max(low, row["untrained high"])
            axis.plot(ends, [y, y], color=colour, lw=3, alpha=0.3, solid_capstyle="butt")
        axis.plot([max(low, row["R2"]) for row in own], at, "o", ms=4, color=colour, label=layer)
    firsts = [next(row for row in rows if row["target"] == target) for target in targets]
    for y, row in enumerate(firsts):
        axis.plot([row["best predictor"]] * 2, [y - 0.4, y + 0.4], color="0.2", lw=1.2)
        axis.plot(max(low, row["observation"]), y + 0.4, "x", color="0.2", ms=5)
    axis.plot([], [], "-", color="0.2", lw=1.2, label="best predictor")
    axis.plot([], [], "x", color="0.2", ms=5, label="raw observation")
    axis.plot([], [], color="0.5", lw=3, alpha=0.5, label="untrained networks")
    axis.set_yticks(range(len(targets)), targets)
    axis.set_xlim(low - 0.02, 1.03)
    axis.invert_yaxis()
    label(axis, "held-out R² of linear decoders (below 0 drawn at the edge)")
    drawing.legend(fontsize=8, frameon=False, loc="outside right center")
    return drawing


@part(draw=figure)
def linear_decoder(inspection: Inspection) -> Tables:
    """What can a linear decoder read from each layer that it cannot read from an untrained one?"""
    share = inspection.share
    counted = share > 0
    weights = share[counted]
    trained = {
        name: hidden[counted]
        for name, hidden in inspection.cache.items()
        if not name.endswith(".out")
    }
    observations = inspection.observations[counted]
    fresh = [
        activations(inspection.fresh(seed), observations)
        for seed in range(inspection.seed, inspection.seed + UNTRAINED)
    ]
    rows = []
    for target, (values, variable) in targets(inspection).items():
        groups = groups_without(inspection, variable)[counted]
        if (groups == groups[0]).all():
            inspection.reasons[f"linear_decoder.{target}"] = (
                "the other state variables form one group only, so none can be held out"
            )
            continue
        folds = whole_groups(groups, FOLDS, inspection.generator(3))
        label = values[counted].unsqueeze(1)

        def r2(hidden: Tensor, label: Tensor = label, folds: Tensor = folds) -> Tensor:
            return held_out_r2(hidden, label, folds, weights)

        orders = [
            torch.randperm(len(label), generator=inspection.generator(2, i))
            for i in range(SHUFFLES)
        ]
        shuffled = torch.cat([label[order] for order in orders], dim=1)
        best = float(best_r2(observations, label, weights))
        raw = float(r2(observations))
        for layer, hidden in trained.items():
            own = float(r2(hidden))
            controls = torch.cat([r2(one[layer]) for one in fresh])
            rows.append(
                {
                    "target": target,
                    "layer": layer,
                    "R2": own,
                    "gain": own - float(controls.mean()),
                    "untrained": float(controls.mean()),
                    "untrained low": float(controls.min()),
                    "untrained high": float(controls.max()),
                    "observation": raw,
                    "best predictor": best,
                    "shuffled": float(r2(hidden, shuffled).quantile(0.95)),
                }
            )
    return {"linear_decoder": rows}


def targets(inspection: Inspection) -> dict[str, tuple[Tensor, str]]:
    """Name -> values (n,) and the state variable that they are a function of."""
    states, world = inspection.states, inspection.world
    found = {
        name: (torch.from_numpy(states.variables[name]), name)
        for name in inspection.features.variables
    }
    functions = {"weight": world.weight_upkeep[0][states.epoch]}
    if world.cutoff is not None:
        left = (world.cutoff - states.epoch) * world.epoch_length - states.step
        functions["steps to the cutoff"] = np.maximum(0, left).astype(np.float64)
    for name, values in functions.items():
        if np.ptp(values[(inspection.share > 0).numpy()]) > 0:
            found[name] = (torch.from_numpy(values), "index")
    return found


def groups_without(inspection: Inspection, variable: str) -> Tensor:
    """(n,): a number for each combination of the state variables other than this one."""
    others = [values for name, values in inspection.states.variables.items() if name != variable]
    _, groups = np.unique(np.stack(others, axis=1), axis=0, return_inverse=True)
    return torch.from_numpy(groups.ravel())
