"""What the agents earn in each epoch."""

from matplotlib.figure import Figure

from myopia.analysis.report.figure import figure
from myopia.analysis.report.figures.style import ORACLES, draw_seeds, legend, panel_each
from myopia.analysis.report.results import RowsByCondition
from myopia.superposition.figures import GREY


@figure(
    place=30,
    caption="What it earns, epoch by epoch",
)
def reward_by_epoch(table: RowsByCondition) -> Figure:
    """Expected reward of epoch k over k; in grey the oracles of each condition's world."""
    drawn, axes = panel_each(table, "epoch k", "expected reward in epoch k")
    for name, axis in axes.items():
        seeds = table[name]
        epochs = range(len(seeds[0]["reward_by_epoch"]))
        for oracle, style in ORACLES.items():
            curve = seeds[0][f"{oracle}_reward_by_epoch"]
            if curve is not None:
                axis.plot(epochs, curve, color=GREY, ls=style, lw=1, label=f"{oracle} oracle")
        axis.axhline(0, color=GREY, lw=0.5)
        draw_seeds(axis, epochs, [entries["reward_by_epoch"] for entries in seeds])
    legend(axes)
    return drawn
