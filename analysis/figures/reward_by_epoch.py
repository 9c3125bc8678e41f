"""What each agent earns in each epoch."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from myopia.analysis.figures.style import ORACLES, colours, new_figure


def reward_by_epoch(evaluations: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Expected reward of epoch k over k, a line for each named evaluation.

    `evaluations` maps a name to the entries of `evaluation.json`. The oracles of the first one
    are drawn in grey.
    """
    figure = new_figure()
    axes = figure.subplots()
    first = next(iter(evaluations.values()))
    for oracle, style in ORACLES.items():
        curve = first[f"{oracle}_reward_by_epoch"]
        axes.plot(range(len(curve)), curve, color="0.55", ls=style, label=f"{oracle} oracle")
    for (name, entries), colour in zip(evaluations.items(), colours(), strict=False):
        curve = entries["reward_by_epoch"]
        axes.plot(range(len(curve)), curve, "o-", ms=4, color=colour, label=name)
    axes.axhline(0, color="0.8", lw=0.8, zorder=0)
    axes.set(xlabel="epoch k", ylabel="expected reward in epoch k")
    axes.legend(frameon=False, fontsize=8)
    return figure
