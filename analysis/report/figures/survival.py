"""How long the agents live."""

from matplotlib.figure import Figure

from myopia.analysis.report.figure import figure
from myopia.analysis.report.figures.style import ORACLES, draw_seeds, legend, panel_each
from myopia.analysis.report.results import RowsByCondition
from myopia.superposition.figures import GREY


@figure(
    place=20,
    caption="How long it runs: the probability that it has not shut down by the end of epoch k",
)
def survival(table: RowsByCondition) -> Figure:
    """P(running after epoch k) over k; in grey the oracles of each world, and its cutoff."""
    drawn, axes = panel_each(table, "epoch k", "P(running after epoch k)")
    for name, axis in axes.items():
        seeds = table[name]
        epochs = range(len(seeds[0]["stop"]["survival"]))
        for oracle, style in ORACLES.items():
            curve = seeds[0]["stop"][f"{oracle}_survival"]
            if curve is not None:
                axis.plot(epochs, curve, color=GREY, ls=style, lw=1, label=f"{oracle} oracle")
        if seeds[0]["cutoff"] is not None:
            axis.axvline(seeds[0]["cutoff"] - 0.5, color=GREY, lw=0.7, label="cutoff")
        draw_seeds(axis, epochs, [entries["stop"]["survival"] for entries in seeds])
        axis.set_ylim(-0.04, 1.06)
    legend(axes)
    return drawn
