"""How competence and foresight came about in training."""

import numpy as np
from matplotlib.figure import Figure

from myopia.analysis.report.figure import NothingToDraw, figure
from myopia.analysis.report.figures.style import draw_seeds, legend, panel_each
from myopia.analysis.report.results import RowsByCondition
from myopia.superposition.figures import COLOURS

CURVES = {"competence": (COLOURS[0], "competence"), "ahead": (COLOURS[1], "looks ahead")}


@figure(
    place=80,
    caption=(
        "Learning curves: competence, and the share of choices for later epochs where they "
        "conflict with this one, exactly, at snapshots of the weights"
    ),
)
def learning_curves(table: RowsByCondition) -> Figure:
    """Both over the steps of training, on a logarithmic axis from the first snapshot on."""
    learned = {
        name: [entries["learning"] for entries in seeds if entries.get("learning")]
        for name, seeds in table.items()
    }
    if not any(len(one["steps"]) for seeds in learned.values() for one in seeds):
        raise NothingToDraw("no run kept snapshots of its weights")
    drawn, axes = panel_each(table, "steps of training", "share", whole=False)
    for name, axis in axes.items():
        seeds = learned[name]
        if not seeds:
            continue
        for key, (colour, called) in CURVES.items():
            curves = [np.array(one[key], dtype=float) for one in seeds]
            draw_seeds(axis, seeds[0]["steps"], curves, color=colour, label=called)
        axis.set_xscale("symlog", linthresh=max(seeds[0]["steps"][1:2] or [1]))
        axis.set_ylim(-0.04, 1.06)
    legend(axes)
    return drawn
