"""Every score of every seed."""

import numpy as np
from matplotlib.figure import Figure

from myopia.analysis.report.figure import figure
from myopia.analysis.report.results import RowsByCondition
from myopia.analysis.report.scores import SCORES, summary
from myopia.superposition.figures import COLOURS, label, panels


@figure(
    place=10,
    caption="Every seed (dots), their median, and its 95 % interval from 5 seeds on (bars)",
)
def scores(table: RowsByCondition) -> Figure:
    """A panel for each score, a row for each condition."""
    columns = 3
    drawn, grid = panels(
        -(-len(SCORES) // columns),
        columns,
        9.6,
        (0.7 + 0.17 * len(table)) * -(-len(SCORES) // columns),
        sharey=True,
    )
    places = np.arange(len(table))
    for score, axis in zip(SCORES.values(), grid.flat, strict=False):
        label(axis, score.label)
        for place, seeds in zip(places, table.values(), strict=True):
            values = score.values(seeds)
            spread = np.linspace(-0.2, 0.2, len(values)) if len(values) > 1 else [0.0]
            axis.plot(values, place + np.array(spread)[: len(values)], "o", ms=4,
                      color=COLOURS[0], alpha=0.9, mew=0)  # fmt: skip
            found = summary(score, seeds)
            if found is not None:
                axis.plot([found.median], [place], "|", color=COLOURS[1], ms=8, mew=1.5)
                if found.interval is not None:
                    ends = [found.interval.low, found.interval.high]
                    axis.plot(ends, [place, place], color=COLOURS[1], lw=1.5)
        axis.set_yticks(places, list(table))
        axis.grid(axis="y", lw=0.3, alpha=0.5)
    grid.flat[0].invert_yaxis()
    for axis in list(grid.flat)[len(SCORES) :]:
        axis.set_visible(False)
    return drawn
