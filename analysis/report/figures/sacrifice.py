"""What the agents give up in an epoch, and what later epochs pay them back."""

import numpy as np
from matplotlib.figure import Figure

from myopia.analysis.measures.score import Score
from myopia.analysis.report.figure import NothingToDraw, figure
from myopia.analysis.report.results import RowsByCondition
from myopia.analysis.report.scores import summary
from myopia.superposition.figures import COLOURS, label, panels

PARTS = {
    "sacrifice": Score("sacrifice", "sacrifice", "given up"),
    "payback by what carries over": Score("carry", "payback.carry", "paid back"),
    "payback by surviving": Score("survival", "payback.survival", "paid back"),
}


@figure(
    place=40,
    caption="What it gives up within epochs, and what later epochs pay back, by either route",
)
def sacrifice(table: RowsByCondition) -> Figure:
    """Bars: means over seeds; dots: every seed. Against the myopic oracle."""
    if not any(part.values(seeds) for part in PARTS.values() for seeds in table.values()):
        raise NothingToDraw("no evaluation has a sacrifice or a payback")
    drawn, grid = panels(1, 1, 9.6, 2.6)
    axis = grid[0, 0]
    places = np.arange(len(table))
    for number, (name, part) in enumerate(PARTS.items()):
        at = places + 0.27 * (number - 1)
        means = [summary(part, seeds) for seeds in table.values()]
        heights = [np.nan if mean is None else mean.mean for mean in means]
        axis.bar(at, heights, 0.25, color=COLOURS[number], alpha=0.55, label=name)
        for place, seeds in zip(at, table.values(), strict=True):
            values = part.values(seeds)
            axis.plot([place] * len(values), values, "o", ms=4, color=COLOURS[number], mew=0)
    axis.axhline(0, color="black", lw=0.6)
    axis.set_xticks(places, list(table), fontsize=8)
    label(axis, "", y="reward, summed over a lifetime")
    axis.legend(frameon=False, fontsize=7)
    return drawn
