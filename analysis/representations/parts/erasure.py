"""Erasing a variable from a layer, and what the agent then does."""

from collections.abc import Iterator

import torch
from matplotlib.figure import Figure
from torch import Tensor

from myopia.analysis.representations.effects import Effects, EffectVsRandom
from myopia.analysis.representations.inspection import Inspection, Tables, part
from myopia.superposition.erasure import erase
from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.linear_decoder import linear_r2
from myopia.superposition.random_directions import matched_directions

ERASED = 0.02
"""An erasure from which more R² than this is left is not valid."""


def figure(tables: Tables) -> Figure:
    """Total variation after each erasure, beside erasing random directions."""
    rows = tables["erasures"]
    names = [f"{row['variable']}, {row['layer']}" for row in rows]
    drawing, axes = panels(1, 1, 7, 1.4 + 0.24 * len(rows))
    axis = axes[0, 0]
    at = range(len(rows))
    axis.barh(at, [row["total variation"] for row in rows], color=COLOURS[0], height=0.6)
    axis.plot([row["by chance"] for row in rows], at, "|", color=COLOURS[1], ms=11, mew=2)
    axis.plot([], [], "|", color=COLOURS[1], mew=2, label="95th percentile, random directions")
    axis.set_yticks(at, names)
    axis.invert_yaxis()
    label(axis, "erased: total variation of the choices")
    if rows:
        drawing.legend(fontsize=8, frameon=False, loc="outside lower right")
    return drawing


@part(draw=figure, name="erasure")
def erasures(inspection: Inspection) -> Tables:
    """What does the agent do when a variable can no longer be read from a layer?"""
    effects, rows = Effects(inspection), []
    share = inspection.share
    for position in inspection.networks.actor.hidden():
        layer = f"{inspection.networks.acting}.{position + 1}"
        hidden = inspection.cache[layer]
        for number, variable in enumerate(inspection.features.variables):
            concept = inspection.features.values[:, inspection.features.of(variable)]
            before = float(linear_r2(hidden, concept, share).max())
            if before <= ERASED:
                inspection.reasons[f"erasure.{variable}.{layer}"] = (
                    f"a probe on this layer reaches R² {before:.3f}: there is nothing to erase"
                )
                continue
            erasure = erase(hidden, concept, share)
            after = inspection.networks.onward(erasure(hidden), position)
            left = float(linear_r2(erasure(hidden), concept, share).max())
            draws = inspection.generator(4, position, number)
            controls = torch.stack(
                [
                    effects.total_variation(inspection.networks.onward(one, position))
                    for one in _random_erasures(inspection, hidden, erasure.away, draws)
                ]
            )
            moved = EffectVsRandom.of(
                torch.cat([effects.total_variation(after).reshape(1), controls])
            )
            rows.append(
                {
                    "variable": variable,
                    "layer": layer,
                    "R2 before": before,
                    "R2 after": left,
                    "valid": left <= ERASED,
                    "total variation": moved.value,
                    "by chance": moved.chance,
                    "beyond chance": moved.beyond and left <= ERASED,
                    "mean stop moves by": effects.stop_shift(after),
                    "stop total variation": effects.stop_variation(after),
                    "return": inspection.states.total(after),
                }
            )
    return {"erasures": rows}


def _random_erasures(
    inspection: Inspection, hidden: Tensor, away: Tensor, draws: torch.Generator
) -> Iterator[Tensor]:
    """The layer with random directions erased, matched in how far and how much is moved.

    Erasing along s moves h by `s (sᵀ Σ⁺ (h - mean)) / (sᵀ Σ⁺ s)`: a direction of the same norm and
    the same `sᵀ Σ⁺ s` moves it as far on average, and takes as much variance away. Of several
    directions each is matched, then what they share is counted once.
    """
    share = inspection.share.unsqueeze(1)
    centred = hidden - (share * hidden).sum(0)
    values, axes = torch.linalg.eigh(centred.T @ (share * centred))
    kept = values > 1e-10 * values.max()
    root, axes = values[kept].sqrt(), axes[:, kept]
    precision = axes / root.square() @ axes.T
    matched = [matched_directions(one, precision, inspection.directions, draws) for one in away.T]
    for own in torch.stack(matched, dim=1):  # (rank, units)
        white = torch.linalg.qr((own @ axes / root).T).Q
        yield hidden - (centred @ axes / root) @ white @ (axes * root @ white).T
