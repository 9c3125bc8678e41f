"""Whose side the agents take, epoch by epoch, where this epoch and later ones conflict."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from myopia.analysis.figure import NothingToDraw, figure
from myopia.analysis.figures.style import COLOURS
from myopia.analysis.results import Table
from myopia.superposition.figures import label, panels

RARE = 1e-3
"""Fewer choices than this in a lifetime are left blank: what is done there says little."""
SIDES = LinearSegmentedColormap.from_list("sides", [COLOURS[1], "#f2f2f2", COLOURS[0]])


@figure(
    50,
    "Conflict map: the share of farsighted choices in each epoch, where both oracles go on but "
    "disagree (invest), and where one of them stops (survive); blank where none is met",
)
def conflict_map(table: Table) -> Figure:
    """Condition by epoch, pooled over seeds: blue farsighted, orange not."""
    kinds = ("invest", "survive")
    maps = {kind: _shares(table, kind) for kind in kinds}
    if all(np.isnan(shares).all() for shares in maps.values()):
        raise NothingToDraw("no agent met a choice between this epoch and later ones")
    drawn, grid = panels(1, 2, 9.6, 0.9 + 0.24 * len(table), sharey=True)
    image = None
    for kind, axis in zip(kinds, grid[0], strict=True):
        image = axis.imshow(maps[kind], cmap=SIDES, vmin=0, vmax=1, aspect="auto")
        label(axis, f"{kind} conflicts", "epoch k")
        axis.set_yticks(range(len(table)), list(table))
        axis.spines[:].set_visible(False)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    scale = drawn.colorbar(image, ax=grid, pad=0.01)
    scale.ax.tick_params(labelsize=7)
    scale.set_label("share farsighted", fontsize=8)
    return drawn


def _shares(table: Table, kind: str) -> np.ndarray:
    """(conditions, epochs): farsighted choices over all conflicts of this kind; NaN where rare."""
    rows = []
    for seeds in table.values():
        found = [entries["conflict_by_epoch"][kind] for entries in seeds
                 if entries.get("conflict_by_epoch")]  # fmt: skip
        if not found:
            rows.append([])
            continue
        met, ahead = (
            np.mean([one[name] for one in found], axis=0) for name in ("met", "farsighted")
        )
        rows.append(np.divide(ahead, met, out=np.full_like(met, np.nan), where=met > RARE))
    shares = np.full((len(rows), max(map(len, rows))), np.nan)
    for place, row in enumerate(rows):
        shares[place, : len(row)] = row
    return shares
