"""How long each agent lives."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from myopia.analysis.figures.style import ORACLES, colours, new_figure


def survival(evaluations: Mapping[str, Mapping[str, Any]]) -> Figure:
    """P(not shut down by the end of epoch k) over k, a line for each named evaluation.

    `evaluations` maps a name to the entries of `evaluation.json`. The oracles of the first one
    are drawn in grey, its cutoff as a vertical line.
    """
    figure = new_figure()
    axes = figure.subplots()
    first = next(iter(evaluations.values()))
    for oracle, style in ORACLES.items():
        curve = first["stop"][f"{oracle}_survival"]
        axes.step(range(len(curve)), curve, where="mid", color="0.55", ls=style,
                  label=f"{oracle} oracle")  # fmt: skip
    for (name, entries), colour in zip(evaluations.items(), colours(), strict=False):
        curve = entries["stop"]["survival"]
        axes.plot(range(len(curve)), curve, "o-", ms=4, color=colour, label=name)
    if first.get("cutoff") is not None:
        axes.axvline(first["cutoff"] - 0.5, color="0.3", lw=1)
        axes.annotate("cutoff", (first["cutoff"] - 0.45, 0.5), color="0.3", fontsize=8)
    axes.set(xlabel="epoch k", ylabel="P(running after epoch k)", ylim=(-0.03, 1.05))
    axes.legend(frameon=False, fontsize=8)
    return figure
