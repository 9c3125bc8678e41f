"""How well each discount across epochs explains what the agents chose."""

import numpy as np
from matplotlib.figure import Figure

from myopia.analysis.exact.discount_fit import GRID, WITHIN
from myopia.analysis.report.figure import NothingToDraw, figure
from myopia.analysis.report.figures.style import draw_seeds, panel_each
from myopia.analysis.report.results import RowsByCondition
from myopia.superposition.figures import GREY

FLOOR = -0.1
"""Nats per choice below which a discount is off the panel."""


@figure(
    place=60,
    caption=(
        "δ-hat: how well a discount δ across epochs explains the choices, in nats per choice "
        "below the best; discounts above the grey line explain as well"
    ),
)
def delta_profile(table: RowsByCondition) -> Figure:
    """Log likelihood per choice over δ, less its maximum; one line a seed.

    A condition whose choices do not depend on δ has an empty panel.
    """
    profiles = {
        name: [one["profile"] for entries in seeds if (one := entries["delta"]) and one["profile"]]
        for name, seeds in table.items()
    }
    if not any(profiles.values()):
        raise NothingToDraw("no agent made a choice that depends on the discount")
    drawn, axes = panel_each(
        table, "discount across epochs δ", "nats per choice below the best", whole=False
    )
    for name, axis in axes.items():
        curves = [np.array(profile) - max(profile) for profile in profiles[name]]
        axis.axhline(-WITHIN, color=GREY, lw=0.7)
        draw_seeds(axis, GRID, curves)
        axis.set_ylim(FLOOR, -0.04 * FLOOR)
        if not curves:
            axis.text(0.5, FLOOR / 2, "not identifiable", ha="center", fontsize=8)
    return drawn
