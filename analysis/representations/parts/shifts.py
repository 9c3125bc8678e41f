"""Shifting a variable along its direction in a layer, against really changing it."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from myopia.analysis.representations.effects import Beside, Effects
from myopia.analysis.representations.inspection import Inspection, Rows, Tables, part
from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.matched import matched_directions
from myopia.superposition.readout import feature_directions

STEPS = (-2, -1, 1, 2)
"""How far a variable is moved, in its own unit: an epoch, a step, or one standard deviation."""


def figure(tables: Tables) -> Figure:
    """The effect along what really changing a variable does: direction against chance."""
    rows = tables["causes"]
    names = [f"{row['variable']}, {row['layer']}" for row in rows]
    drawing, axes = panels(1, 2, 9.5, 1.6 + 0.24 * len(rows), sharey=True)
    at = range(len(rows))
    pairs = {
        "total variation": ("total variation", "total variation of the choices"),
        "along the real change": ("along", "part along the real change (1: the same)"),
    }
    for axis, (key, (short, title)) in zip(axes[0], pairs.items(), strict=True):
        axis.barh(at, [row[key] for row in rows], color=COLOURS[0], height=0.6)
        axis.plot([row[f"{short} by chance"] for row in rows], at, "|", color=COLOURS[1], ms=11, mew=2)
        label(axis, title)
        axis.axvline(0, color="0.7", lw=0.8)
    axes[0, 0].plot(
        [row["really"] for row in rows], at, "|", color="0.2", ms=11, mew=2, label="really changed"
    )
    axes[0, 0].plot([], [], "|", color=COLOURS[1], mew=2, label="95th percentile, random directions")
    axes[0, 0].set_yticks(at, names)
    axes[0, 0].invert_yaxis()
    if rows:
        drawing.legend(fontsize=8, frameon=False, loc="outside lower right", ncols=2)
    return drawing


@part("shifts", figure)
def shifts(inspection: Inspection) -> Tables:
    """Does a step along a variable's direction do what really changing the variable does?"""
    tables: Tables = {"shifts": [], "causes": []}
    features = inspection.scalars
    if features.collinear:
        inspection.reasons["shifts"] = f"collinear: {', '.join(features.collinear)}"
        return tables
    network = inspection.towers.actor
    for position in network.hidden():
        hidden = inspection.cache[f"{inspection.towers.acting}.{position + 1}"]
        columns = feature_directions(features.values, hidden, inspection.share) / features.spread
        for number, variable in enumerate(features.names):
            rows, cause = shifted(inspection, position, variable, columns[:, number])
            tables["shifts"] += rows
            tables["causes"] += cause
    return tables


def shifted(
    inspection: Inspection, position: int, variable: str, column: Tensor
) -> tuple[Rows, Rows]:
    """One variable along `column` (units,), its direction per unit, in the layer at `position`.

    Returns a row for each of `STEPS`, and one over all of them; none where the variable is not
    shown, so that it cannot really be changed, or where its direction is zero.
    """
    network, states, effects = inspection.towers.actor, inspection.states, Effects(inspection)
    layer = f"{inspection.towers.acting}.{position + 1}"
    hidden, share = inspection.cache[layer], inspection.share
    centred = hidden - share @ hidden
    covariance = centred.T @ (share.unsqueeze(1) * centred)
    if column.norm() <= 1e-9 * covariance.diagonal().sum().sqrt():
        inspection.reasons[f"shifts.{variable}.{layer}"] = "the layer does not vary with it"
        return [], []
    draws = inspection.generator(5, position, states.names.index(variable))
    random = matched_directions(column, covariance, inspection.directions, draws)
    unit = states.unit(variable, share)
    rows, pooled = [], []
    for step in STEPS:
        moved, observations = states.change(variable, step * unit)
        if (observations == states.observations).all():
            inspection.reasons[f"shifts.{variable}"] = "the agent is not shown it"
            return [], []
        real = inspection.towers(torch.from_numpy(observations))
        by = torch.from_numpy(moved).double().unsqueeze(1)

        def acts(direction: Tensor, by: Tensor = by) -> Tensor:
            outputs = network.onward(hidden + by * direction, position)
            return inspection.towers.probabilities(outputs)

        own = acts(column)
        stopping = variable == "index"
        real_stop = effects.stop_shift(real) if stopping else 0.0
        measured = []
        for after in (own, *map(acts, random)):
            stop = effects.stop_shift(after) if stopping else 0.0
            # with the sign that the real change predicts; where that moves nothing, so should we
            toward = stop * (1 if real_stop > 1e-9 else -1 if real_stop < -1e-9 else 0)
            measured.append(
                torch.stack(
                    [effects.total_variation(after), effects.along(after, real), torch.tensor(toward)]
                )
            )
        table = torch.stack(measured)  # (1 + random, effects)
        pooled.append(table)
        variation, along, _ = (Beside.of(table[:, i]) for i in range(3))
        rows.append(
            {
                "variable": variable,
                "layer": layer,
                "by": step * unit,
                "total variation": variation.value,
                "by chance": variation.chance,
                "really": float(effects.total_variation(real)),
                "along the real change": along.value,
                "along by chance": along.chance,
                "mean stop moves by": effects.stop_shift(own),
                "really moves by": effects.stop_shift(real),
            }
        )
    variation, along, stop = (
        Beside.of(torch.stack(pooled).mean(0)[:, i].double()) for i in range(3)
    )
    likeness = (random @ column / column.square().sum()).abs()
    cause = {
        "variable": variable,
        "layer": layer,
        "total variation": variation.value,
        "total variation by chance": variation.chance,
        "really": sum(row["really"] for row in rows) / len(rows),
        "along the real change": along.value,
        "along by chance": along.chance,
        "causal": variation.beyond and along.beyond and along.value > 0,
        "stop moves as predicted by": stop.value if variable == "index" else None,
        "stop by chance": stop.chance if variable == "index" else None,
        "causal for the stop": (stop.beyond and stop.value > 0) if variable == "index" else None,
        "cosine of the random directions": float(likeness.median()),
    }
    return rows, [cause]
