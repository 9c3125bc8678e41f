"""What the figures share: a panel for each condition, thin lines for seeds, one colour for each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from myopia.analysis.report.results import RowsByCondition
from myopia.superposition.figures import COLOURS, label, panels

ORACLES = {"myopic": (0, (1, 1.5)), "lifetime": (0, (5, 2))}
"""Oracle -> its line style, in grey."""


def panel_each(
    table: RowsByCondition, x: str, y: str, whole: bool = True
) -> tuple[Figure, dict[str, Axes]]:
    """A figure with a panel for each condition, four to a row, on common axes.

    `whole`: what stands on the x axis are whole numbers.
    """
    columns = min(len(table), 4)
    rows = -(-len(table) // columns)
    width, height = (6.4, 3.4) if len(table) == 1 else (2.4 * columns, 0.5 + 1.8 * rows)
    drawn, grid = panels(rows, columns, width, height, sharex=True, sharey=True)
    axes = dict(zip(table, grid.flat, strict=False))
    for name, axis in axes.items():
        label(axis, name)
        if whole:
            axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    for axis in list(grid.flat)[len(table) :]:
        axis.set_visible(False)
    drawn.supxlabel(x, fontsize=8)
    drawn.supylabel(y, fontsize=8)
    return drawn, axes


def draw_seeds(
    axis: Axes, x: Sequence[float] | np.ndarray, curves: Sequence[Any], **style: Any
) -> None:
    """Every seed thin, their median thick."""
    style = {"color": COLOURS[0], **style}
    named = style.pop("label", "median")
    for curve in curves:
        axis.plot(x, curve, lw=0.7, alpha=0.5, **style)
    if len(curves) > 1:
        middle = np.median(np.array(curves, dtype=float), axis=0)
        axis.plot(x, middle, lw=2, label=named, **style)


def legend(axes: dict[str, Axes]) -> None:
    """The lines that have names, told once, in the first panel."""
    first = next(iter(axes.values()))
    if first.get_legend_handles_labels()[0]:
        first.legend(frameon=False, fontsize=7)
