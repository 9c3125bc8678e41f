"""The audit as a picture: one panel per network, transformations by metrics."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from myopia.superposition.audit.table import SAME_METRIC, AuditRow
from myopia.superposition.figures import own_style

SHADES = LinearSegmentedColormap.from_list("moved", ["#f7f7f7", "#fdd49e", "#b30000"])


@own_style
def audit_figure(rows: Sequence[AuditRow]) -> Figure:
    """How far each metric moved, over all layers of a network; a ring where the cure failed.

    Grey: the metric does not exist for that network. White: it stayed within 1e-6.
    """
    networks = list(dict.fromkeys(row.network for row in rows))
    heights = [len({row.transformation for row in rows if row.network == n}) for n in networks]
    figure = Figure(figsize=(8.5, 1.7 + 0.27 * sum(heights) + 0.45 * len(networks)))
    axes = figure.subplots(
        len(networks), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )[:, 0]
    metrics = list(dict.fromkeys(row.metric for row in rows))
    image = None
    for axis, network in zip(axes, networks, strict=True):
        own = [row for row in rows if row.network == network]
        changes = list(dict.fromkeys((row.transformation, row.kind) for row in own))
        table = np.full((len(changes), len(metrics)), np.nan)
        for row in own:
            at = changes.index((row.transformation, row.kind)), metrics.index(row.metric)
            table[at] = np.fmax(table[at], row.moved)
        image = axis.imshow(
            np.where(table <= SAME_METRIC, 0, table), cmap=SHADES, vmin=0, vmax=1, aspect="auto"
        )
        axis.set_facecolor("#d9d9d9")
        failed = {
            (metrics.index(row.metric), changes.index((row.transformation, row.kind)))
            for row in own
            if row.kind != "order" and row.verdict in ("moves", "not the same function")
        }
        if failed:
            axis.scatter(
                *zip(*sorted(failed), strict=True), s=60, facecolors="none", edgecolors="k"
            )
        axis.set_yticks(
            range(len(changes)),
            [name if kind == "function" else f"{name} ({kind})" for name, kind in changes],
            fontsize=8,
        )
        axis.set_title(network, loc="left", fontsize=9, fontweight="bold")
        axis.tick_params(length=0)
        for line in np.arange(len(metrics) - 1) + 0.5:
            axis.axvline(line, color="white", lw=1)
        for line in np.arange(len(changes) - 1) + 0.5:
            axis.axhline(line, color="white", lw=1)
    axes[-1].set_xticks(range(len(metrics)), metrics, rotation=35, ha="right", fontsize=8)
    if image is not None:
        bar = figure.colorbar(image, ax=list(axes), fraction=0.025, pad=0.02)
        bar.set_label("change of the metric, as a share of its size", fontsize=8)
        bar.ax.tick_params(labelsize=7)
    figure.set_layout_engine("constrained")
    return figure
