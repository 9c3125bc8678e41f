"""Interpretable capability against capability, over a sweep of widths.

Capability of variable i: `v_i max(0, R²_i)`, v_i what it is worth. Interpretable: it has a
dimension to itself (functional D_i above a threshold), or training made it readable (probe gain
above `GAIN`); **and** a step along its direction does what it should (causal).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from myopia.superposition.figures import COLOURS, label, own_style, panels
from myopia.superposition.statistics import mean_interval

THRESHOLD = 0.8
THRESHOLDS = tuple(round(0.6 + 0.05 * step, 2) for step in range(8))
GAIN = 0.2


@dataclass(frozen=True)
class Measured:
    """What was measured of the networks of one width; every array is (seeds, variables).

    `worth` v_i; `r2` of the variable in the trained network, `chance` in an untrained one;
    `dimensionality` functional D_i; `gain` of a probe over the untrained network's; `causal` bool.
    """

    worth: np.ndarray
    r2: np.ndarray
    chance: np.ndarray
    dimensionality: np.ndarray
    gain: np.ndarray
    causal: np.ndarray

    def capability(self) -> np.ndarray:
        """(seeds, variables)."""
        return self.worth * np.maximum(0, self.r2)

    def interpretable(self, threshold: float) -> np.ndarray:
        """(seeds, variables) bool."""
        return ((self.dimensionality > threshold) | (self.gain > GAIN)) & self.causal

    def totals(self, threshold: float) -> tuple[np.ndarray, np.ndarray]:
        """Interpretable capability (seeds,), and as a share; 0 where there is no capability."""
        every = self.capability()
        kept = (every * self.interpretable(threshold)).sum(1)
        total = every.sum(1)
        return kept, kept / np.where(total > 0, total, 1)


def curve(world: str, points: Mapping[int, Measured]) -> list[dict[str, Any]]:
    """A row for each width: means over the seeds with their intervals."""
    rows = []
    for width, measured in points.items():
        kept, share = measured.totals(THRESHOLD)
        chance = (measured.worth * np.maximum(0, measured.chance)).sum(1)
        row = {"world": world, "width": width, "seeds": len(kept)}
        for name, values in (
            ("capability", measured.capability().sum(1)),
            ("interpretable", kept),
            ("share", share),
            ("random network", chance),
        ):
            row[name], row[f"{name} low"], row[f"{name} high"] = mean_interval(values.tolist())
        row["causal"] = float(measured.causal.mean())
        for threshold in THRESHOLDS:
            total, share = measured.totals(threshold)
            row[f"total at {threshold}"] = float(total.mean())
            row[f"share at {threshold}"] = float(share.mean())
        rows.append(row)
    return rows


def valley(rows: Sequence[Mapping[str, Any]], key: str) -> int | None:
    """The width at which `key` has a minimum below both sides, beyond the intervals, or None.

    Below a side: the interval there ends under where the interval of some width on that side
    begins. The lowest such width is given.
    """
    found = [
        i
        for i in range(1, len(rows) - 1)
        if max(row[f"{key} low"] for row in rows[:i]) > rows[i][f"{key} high"]
        and max(row[f"{key} low"] for row in rows[i + 1 :]) > rows[i][f"{key} high"]
    ]
    lowest = min(found, key=lambda i: rows[i][key], default=None)
    return None if lowest is None else rows[lowest]["width"]


def answers(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Per world: at which width there is a valley, in the total and in the share."""
    worlds = dict.fromkeys(row["world"] for row in rows)
    return {
        f"valley in the {name}, {world}": valley([r for r in rows if r["world"] == world], key)
        for world in worlds
        for name, key in (("total", "interpretable"), ("share", "share"))
    }


@own_style
def figure(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Total and share against the width, thresholds as thin lines, a row for each world."""
    worlds = list(dict.fromkeys(row["world"] for row in rows))
    drawing, axes = panels(len(worlds), 3, 10.5, 0.7 + 2.7 * len(worlds))
    for line, world in zip(axes, worlds, strict=True):
        own = [row for row in rows if row["world"] == world]
        widths = [row["width"] for row in own]
        totals, shares, against = line
        _band(totals, widths, own, "capability", COLOURS[0])
        _band(totals, widths, own, "interpretable", COLOURS[1])
        _band(totals, widths, own, "random network", "0.55")
        _band(shares, widths, own, "share", COLOURS[1])
        for threshold in THRESHOLDS:
            for axis, name in ((totals, "total"), (shares, "share")):
                axis.plot(
                    widths, [r[f"{name} at {threshold}"] for r in own], color=COLOURS[1], lw=0.5
                )
        against.plot(
            [r["capability"] for r in own], [r["interpretable"] for r in own], "o-", ms=4,
            color=COLOURS[1],
        )  # fmt: skip
        for row in own:
            against.annotate(row["width"], (row["capability"], row["interpretable"]), fontsize=6)
        for axis in (totals, shares):
            axis.set_xscale("log", base=2)
        label(totals, f"{world}: capability", "width")
        label(shares, "share that is interpretable", "width")
        shares.set_ylim(-0.03, 1.03)
        label(against, "against each other", "capability", "interpretable")
        totals.legend(fontsize=7, frameon=False)
    return drawing


def _band(axis: Any, widths: Sequence[int], rows: Sequence[Any], key: str, colour: str) -> None:
    low, high = ([row[f"{key} {end}"] for row in rows] for end in ("low", "high"))
    axis.fill_between(widths, low, high, color=colour, alpha=0.2, lw=0)
    axis.plot(widths, [row[key] for row in rows], "o-", ms=3.5, color=colour, label=key)
