"""The figures of the post and of its comments."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from myopia.superposition.curves.descent import Curves, Descent, descend, factors
from myopia.superposition.curves.ode import flow, scalars
from myopia.superposition.curves.reading import THRESHOLDS
from myopia.superposition.figures import COLOURS, label, own_style, panels

LOWEST_DRAWN = 1e-6


@own_style
def curve_figure(runs: Sequence[Curves]) -> Figure:
    """Loss over its value at Z = 0, every seed, one panel per loss and optimiser, by rank."""
    return _grid(
        runs,
        lambda run: (run.loss / run.reference[:, None]).numpy(),
        "loss / loss at Z = 0",
        log=True,
    )


@own_style
def overlap_figure(runs: Sequence[Curves]) -> Figure:
    """The inner product with the truth, every seed, with its bump where there is one."""
    return _grid(
        runs, lambda run: run.overlap.numpy(), "$\\langle Z, C\\rangle / \\|C\\|^2$", log=False
    )


def _grid(
    runs: Sequence[Curves], values: Callable[[Curves], np.ndarray], name: str, log: bool
) -> Figure:
    kinds = list(dict.fromkeys((run.descent.loss, run.descent.optimiser) for run in runs))
    ranks = sorted({run.descent.rank for run in runs})
    drawing, axes = panels(
        len(kinds), len(ranks), 2.1 * len(ranks) + 0.6, 1.7 * len(kinds) + 0.4, sharey="row"
    )
    for run in runs:
        row = kinds.index((run.descent.loss, run.descent.optimiser))
        axis = axes[row, ranks.index(run.descent.rank)]
        axis.plot(run.steps.numpy()[1:], values(run).T[1:], color=COLOURS[row], lw=0.5, alpha=0.5)
        axis.set_xscale("log")
        if log:
            axis.set_yscale("log")
            # below this, single precision is what one sees
            axis.set_ylim(bottom=LOWEST_DRAWN)
    for axis, rank in zip(axes[0], ranks, strict=True):
        label(axis, f"rank {rank}")
    for axis, (loss, optimiser) in zip(axes[:, 0], kinds, strict=True):
        axis.set_ylabel(f"{loss}, {optimiser}\n{name}", fontsize=7)
    for axis in axes[-1]:
        axis.set_xlabel("step", fontsize=8)
    return drawing


@own_style
def plateau_figure(rows: Sequence[dict[str, Any]], scaled: Sequence[dict[str, Any]]) -> Figure:
    """Shares of seeds with two plateaus, by rank and threshold; Adam's first plateau by scale."""
    kinds = list(dict.fromkeys((row["loss"], row["optimiser"]) for row in rows))
    drawing, axes = panels(1, len(kinds) + 1, 2.2 * (len(kinds) + 1), 2.6, sharey=True)
    for axis, kind in zip(axes[0], kinds, strict=False):
        own = [row for row in rows if (row["loss"], row["optimiser"]) == kind]
        for shift, (flatness, colour) in enumerate(zip(THRESHOLDS, COLOURS, strict=False)):
            share = np.array([row[f"two plateaus at {flatness:.0%}"] for row in own])
            interval = np.array([row[f"interval at {flatness:.0%}"] for row in own]).T
            axis.errorbar(
                np.arange(len(own)) + (shift - 1) * 0.15,
                share,
                np.clip([share - interval[0], interval[1] - share], 0, 1),
                fmt="o",
                ms=4,
                lw=1,
                color=colour,
                label=f"flat: {flatness:.0%} per unit of τ",
            )
        axis.set_xticks(range(len(own)), [row["rank"] for row in own])
        label(axis, ", ".join(kind), "rank")
    axes[0, 0].set_ylabel("share of seeds with two plateaus", fontsize=8)
    last = axes[0, -1]
    for colour, rank in zip(COLOURS[3:], sorted({row["rank"] for row in scaled}), strict=False):
        own = [row for row in scaled if row["rank"] == rank]
        last.plot(
            [row["spread"] for row in own],
            [row["initial plateau at 10%"] for row in own],
            "s-",
            ms=4,
            color=colour,
            label=f"rank {rank}",
        )
    last.set(xscale="log", ylim=(-0.05, 1.05))
    last.legend(fontsize=7, frameon=False)
    label(last, "mse, adam: an initial plateau", "spread at the start")
    drawing.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8
    )
    return drawing


@own_style
def oracle_figure(spreads: Sequence[float] = (1.0, 0.1, 0.01), d: int = 100) -> Figure:
    """Rank 1 on MSE: gradient descent over the four-scalar flow."""
    drawing, axes = panels(1, len(spreads), 2.3 * len(spreads), 2.3, sharey=True)
    for axis, spread in zip(axes[0], spreads, strict=True):
        descent = Descent(rank=1, spread=spread, steps=4000, seeds=5, d=d)
        run = descend(descent)
        times, loss = flow_of(run)
        plateau = run.sigma_max.numpy()[:, None] ** 2 / 2
        axis.plot(
            times[1:], (run.loss.numpy() / plateau).T[1:], color=COLOURS[0], lw=2.5, alpha=0.4
        )
        axis.plot(times[1:], (loss / plateau).T[1:], "k--", lw=0.8)
        axis.set_xscale("log")
        label(axis, f"spread {spread:g}", "step x learning rate x s")
    axes[0, 0].set_ylabel("loss / (s²/2)", fontsize=8)
    axes[0, 0].plot([], [], color=COLOURS[0], lw=2.5, alpha=0.4, label="gradient descent")
    axes[0, 0].plot([], [], "k--", lw=0.8, label="four-scalar flow")
    axes[0, 0].legend(fontsize=7, frameon=False)
    return drawing


def flow_of(run: Curves) -> tuple[np.ndarray, np.ndarray]:
    """Times in units of 1 / s and the flow's loss (seeds, R) from the starts of a rank-1 run."""
    truth_a, truth_b, a, b = (f.double().squeeze(-1).cpu().numpy() for f in factors(run.descent))
    (p, P), (q, Q) = scalars(truth_a, a), scalars(truth_b, b)
    times = run.steps.numpy() * run.descent.learning_rate
    return times, flow(np.stack([p, q, P, Q], axis=1), run.sigma_max.numpy(), times)
