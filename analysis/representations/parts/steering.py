"""Shifting a variable along its direction in a layer, against really changing it."""

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from myopia.analysis.representations.effects import Effects, EffectVsRandom
from myopia.analysis.representations.inspection import Inspection, Rows, Tables, part
from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.random_directions import matched_directions
from myopia.superposition.readout import feature_directions

STEPS = (-2, -1, 1, 2)
"""How far a variable is moved: epochs, steps, or so many of the values that it takes."""


def figure(tables: Tables) -> Figure:
    """The effect along what really changing a variable does: direction against chance."""
    rows = tables["effects"]
    names = [f"{row['variable']}, {row['layer']}" for row in rows]
    drawing, axes = panels(1, 2, 9.5, 1.6 + 0.24 * len(rows), sharey=True)
    at = range(len(rows))
    pairs = {
        "total variation": ("total variation", "total variation of the choices"),
        "along the real change": ("along", "part along the real change (1: the same)"),
    }
    for axis, (key, (short, title)) in zip(axes[0], pairs.items(), strict=True):
        axis.barh(at, [row[key] for row in rows], color=COLOURS[0], height=0.6)
        axis.plot(
            [row[f"{short} by chance"] for row in rows], at, "|", color=COLOURS[1], ms=11, mew=2
        )
        label(axis, title)
        axis.axvline(0, color="0.7", lw=0.8)
    axes[0, 0].plot(
        [row["really"] for row in rows], at, "|", color="0.2", ms=11, mew=2, label="really changed"
    )
    axes[0, 0].plot(
        [], [], "|", color=COLOURS[1], mew=2, label="95th percentile, random directions"
    )
    axes[0, 0].set_yticks(at, names)
    axes[0, 0].invert_yaxis()
    if rows:
        drawing.legend(fontsize=8, frameon=False, loc="outside lower right", ncols=2)
    return drawing


@part(draw=figure)
def steering(inspection: Inspection) -> Tables:
    """Does a step along a variable's direction do what really changing the variable does?"""
    tables: Tables = {"steering": [], "effects": []}
    features = inspection.features
    if features.collinear:
        inspection.reasons["steering"] = f"collinear: {', '.join(features.collinear)}"
        return tables
    for position in inspection.networks.actor.hidden():
        hidden = inspection.cache[f"{inspection.networks.acting}.{position + 1}"]
        columns = feature_directions(features.values, hidden, inspection.share) / features.spread
        for variable in features.variables:
            rows, cause = steered(inspection, position, variable, columns)
            tables["steering"] += rows
            tables["effects"] += cause
    return tables


def steered(
    inspection: Inspection, position: int, variable: str, columns: Tensor
) -> tuple[Rows, Rows]:
    """One variable along its direction in the layer at `position`.

    `columns` (units, m) are the directions of the features, per unit of them. Returns a row for
    each of `STEPS`, and one over all of them; none where the variable is not shown, so that it
    cannot really be changed, or where its direction is zero.
    """
    states, effects = inspection.states, Effects(inspection)
    layer = f"{inspection.networks.acting}.{position + 1}"
    hidden, share = inspection.cache[layer], inspection.share
    centred = hidden - share @ hidden
    covariance = centred.T @ (share.unsqueeze(1) * centred)
    own_columns = columns[:, inspection.features.of(variable)].T  # (columns, units)
    if own_columns.norm() <= 1e-9 * covariance.diagonal().sum().sqrt():
        inspection.reasons[f"steering.{variable}.{layer}"] = "the layer does not vary with it"
        return [], []
    draws = inspection.generator(5, position, states.names.index(variable))
    rows, pooled, likeness = [], [], []
    for step in STEPS:
        moved, observations = states.change(variable, step)
        if (observations == states.observations).all():
            inspection.reasons[f"steering.{variable}"] = "the agent is not shown it"
            return [], []
        real = inspection.networks(torch.from_numpy(observations))
        amounts, directions = _displacement(inspection, variable, moved, own_columns)
        # the same draws for every step: they are the same directions, further along
        fresh = torch.Generator().set_state(draws.get_state())
        random = torch.stack(
            [
                matched_directions(one, covariance, inspection.directions, fresh)
                for one in directions
            ],
            dim=1,
        )  # (random, directions, units)
        sizes = directions.square().sum(1)
        likeness.append(((random * directions).sum(2) / sizes).abs().median())

        def acts(directions: Tensor, amounts: Tensor = amounts) -> Tensor:
            return inspection.networks.onward(hidden + amounts @ directions, position)

        own = acts(directions)
        real_stop = effects.stop_shift(real)
        # with the sign that the real change predicts; where that moves nothing, so should we
        sign = 1 if real_stop > 1e-9 else -1 if real_stop < -1e-9 else 0
        table = torch.tensor(
            [
                [
                    effects.total_variation(after),
                    effects.along(after, real),
                    sign * effects.stop_shift(after) if variable == "index" else 0.0,
                ]
                for after in (own, *map(acts, random))
            ],
            dtype=torch.float64,
        )  # (1 + random, effects)
        pooled.append(table)
        variation, along, _ = (EffectVsRandom.of(table[:, i]) for i in range(3))
        rows.append(
            {
                "variable": variable,
                "layer": layer,
                "by": step,
                "total variation": variation.value,
                "by chance": variation.chance,
                "really": float(effects.total_variation(real)),
                "along the real change": along.value,
                "along by chance": along.chance,
                "mean stop moves by": effects.stop_shift(own),
                "really moves by": real_stop,
            }
        )
    mean = torch.stack(pooled).mean(0)
    variation, along, stop = (EffectVsRandom.of(mean[:, i]) for i in range(3))
    stopping = variable == "index"
    cause = {
        "variable": variable,
        "layer": layer,
        "total variation": variation.value,
        "total variation by chance": variation.chance,
        "really": sum(row["really"] for row in rows) / len(rows),
        "along the real change": along.value,
        "along by chance": along.chance,
        "causal": variation.beyond and along.beyond and along.value > 0,
        "stop moves as predicted by": stop.value if stopping else None,
        "stop by chance": stop.chance if stopping else None,
        "causal for the stop": (stop.beyond and stop.value > 0) if stopping else None,
        "cosine of random directions": float(torch.stack(likeness).median()),
    }
    return rows, [cause]


def _displacement(
    inspection: Inspection, variable: str, moved: np.ndarray, columns: Tensor
) -> tuple[Tensor, Tensor]:
    """How a layer moves when a variable does: amounts (n, q) of directions (q, units).

    With scalars there is one direction, and the amount is the change. With contrasts each change
    of one value into another has its own direction, and the amount is 1.
    """
    states = inspection.states
    now = states.shown if variable == "index" else states.variables[variable]
    if inspection.basis == "scalars":
        return torch.from_numpy(moved - now).unsqueeze(1), columns
    levels = states.levels(variable)
    of_value = torch.cat([torch.zeros(1, columns.shape[1], dtype=torch.float64), columns])
    pairs = np.stack([np.searchsorted(levels, np.clip(v, *levels[[0, -1]])) for v in (now, moved)])
    changes, which = np.unique(pairs, axis=1, return_inverse=True)
    real = changes[0] != changes[1]
    directions = of_value[changes[1][real]] - of_value[changes[0][real]]
    amounts = np.eye(len(real))[which.ravel()][:, real]
    return torch.from_numpy(amounts), directions
