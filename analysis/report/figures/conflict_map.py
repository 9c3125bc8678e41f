"""Whose side the agents take, epoch by epoch, where this epoch and later ones conflict."""

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from myopia.analysis.report.figure import NothingToDraw, figure
from myopia.analysis.report.results import RowsByCondition
from myopia.superposition.figures import COLOURS, label, panels

RARE = 1e-3
"""Fewer choices than this in a lifetime are left blank: what is done there says little."""
PALEST = 0.15
"""How strong a colour is where next to nothing is met; full where a lifetime meets one or more."""
SIDES = LinearSegmentedColormap.from_list("sides", [COLOURS[1], "#f2f2f2", COLOURS[0]])


@figure(
    place=50,
    caption=(
        "Conflict map: the share of farsighted choices in each epoch, where both oracles go on "
        "but disagree (invest), and where one of them stops (survive); pale where a lifetime "
        "meets few of them, blank where it meets none"
    ),
)
def conflict_map(table: RowsByCondition) -> Figure:
    """Condition by epoch, pooled over seeds: blue farsighted, orange not."""
    kinds = ("invest", "survive")
    maps = {kind: _shares(table, kind) for kind in kinds}
    if all(np.isnan(shares).all() for shares, _ in maps.values()):
        raise NothingToDraw("no agent met a choice between this epoch and later ones")
    drawn, grid = panels(1, 2, 9.6, 0.9 + 0.24 * len(table), sharey=True)
    for kind, axis in zip(kinds, grid[0], strict=True):
        shares, met = maps[kind]
        strength = PALEST + (1 - PALEST) * np.clip(met, 0, 1)
        axis.imshow(shares, cmap=SIDES, vmin=0, vmax=1, aspect="auto", alpha=strength)
        label(axis, f"{kind} conflicts", "epoch k")
        axis.set_yticks(range(len(table)), list(table))
        axis.spines[:].set_visible(False)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    scale = drawn.colorbar(ScalarMappable(Normalize(0, 1), SIDES), ax=grid, pad=0.01)
    scale.ax.tick_params(labelsize=7)
    scale.set_label("share farsighted", fontsize=8)
    return drawn


def _shares(table: RowsByCondition, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """(conditions, epochs): farsighted choices over all conflicts of this kind; NaN where rare.

    And how many of these conflicts a lifetime meets.
    """
    rows = []
    for seeds in table.values():
        found = [entries["conflict_by_epoch"][kind] for entries in seeds
                 if entries.get("conflict_by_epoch")]  # fmt: skip
        if not found:
            rows.append(np.zeros((2, 0)))
            continue
        met, ahead = (
            np.mean([one[name] for one in found], axis=0) for name in ("met", "farsighted")
        )
        shares = np.divide(ahead, met, out=np.full_like(met, np.nan), where=met > RARE)
        rows.append(np.stack([shares, met]))
    tables = np.full((2, len(rows), max(row.shape[1] for row in rows)), np.nan)
    for place, row in enumerate(rows):
        tables[:, place, : row.shape[1]] = row
    return tables[0], np.nan_to_num(tables[1])
