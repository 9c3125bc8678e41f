"""What the displayed index does to the agents."""

from matplotlib.figure import Figure

from myopia.analysis.report.figure import NothingToDraw, figure
from myopia.analysis.report.figures.style import draw_seeds, panel_each
from myopia.analysis.report.results import RowsByCondition
from myopia.superposition.figures import GREY


@figure(
    place=70,
    caption=(
        "What the displayed index does: P(shutdown) by the index that is shown, all else equal;"
        " shaded: never shown in training"
    ),
)
def index_response(table: RowsByCondition) -> Figure:
    """P(shutdown) over the displayed index, averaged over the cells that each agent visits."""
    if not any(entries["index_response"] for seeds in table.values() for entries in seeds):
        raise NothingToDraw("no agent acts on a displayed index that could be changed")
    drawn, axes = panel_each(table, "displayed index", "P(shutdown)")
    for name, axis in axes.items():
        seeds = [entries["index_response"] for entries in table[name] if entries["index_response"]]
        for rows in seeds[:1]:
            for row in rows:
                if not row["seen"]:
                    place = row["index"]
                    axis.axvspan(place - 0.5, place + 0.5, color=GREY, alpha=0.2, lw=0)
        if seeds:
            shown = [row["index"] for row in seeds[0]]
            draw_seeds(axis, shown, [[row["shutdown"] for row in rows] for rows in seeds])
        axis.set_ylim(-0.04, 1.06)
    return drawn
