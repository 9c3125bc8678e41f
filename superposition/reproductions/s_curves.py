"""Targets of "Multi-Component Learning and S-Curves" (Jermyn and Shlegeris 2022) and comments."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from myopia.superposition.curves.descent import Descent, descend
from myopia.superposition.curves.figures import flow_of
from myopia.superposition.curves.ode import half_loss_time, predicted_half_loss_time, random_start
from myopia.superposition.curves.reading import THRESHOLDS
from myopia.superposition.curves.study import CONVERGED, RANKS, summary
from myopia.superposition.reproductions.reproduction import ReproductionRow, reproduction, within


@reproduction(source='Jermyn and Shlegeris 2022, "Multi-Component Learning and S-Curves"')
def s_curves(exact_only: bool) -> Iterator[ReproductionRow]:
    """Half-loss times, descent against the flow, widths of drops, cross-entropy."""
    yield from half_loss_times()
    if not exact_only:
        yield from descent_against_flow()
        yield from drop_widths()
        yield from cross_entropy()


def half_loss_times(systems: int = 500) -> Iterator[ReproductionRow]:
    """The closed form for the half-loss time against the ODE, median over random starts."""
    for spread, tolerance in ((0.1, 0.03), (0.01, 0.001), (1.0, None)):
        start, s = random_start(systems, spread, 100, np.random.default_rng(0))
        times = half_loss_time(start, s) / predicted_half_loss_time(start, s)
        ratio = float(np.nanmedian(times))
        name = f"rank 1, half-loss time of the ODE over the formula, σ = {spread:g}, median"
        if tolerance:
            yield within(name, 1.0, ratio, tolerance, "measured")
        else:
            apart = abs(ratio - 1) > 0.03
            yield ReproductionRow(
                name, "not 1 (1.48)", f"{ratio:.4f}", "beyond .03 of 1", "measured", apart
            )


def descent_against_flow(
    spreads: Sequence[float] = (0.01, 0.03, 0.1, 0.3, 1.0), seeds: int = 10
) -> Iterator[ReproductionRow]:
    """Gradient descent on rank 1 against the four-scalar ODE."""
    gaps = []
    for spread in spreads:
        run = descend(Descent(rank=1, spread=spread, steps=4000, seeds=seeds))
        _, loss = flow_of(run)
        plateau = run.sigma_max.numpy()[:, None] ** 2 / 2
        gaps.append(float((np.abs(run.loss.numpy() - loss) / plateau).max()))
    yield ReproductionRow(
        f"rank 1, descent against the ODE: largest gap over s²/2, σ in [.01, 1], {seeds} seeds",
        "<= .02",
        f"{max(gaps):.4f}",
        ".02",
        "measured",
        max(gaps) <= 0.02,
    )


def drop_widths(seeds: int = 20) -> Iterator[ReproductionRow]:
    """MSE: the drop narrows with the rank; and how many seeds have two plateaus."""
    rows = {rank: summary(descend(Descent(rank=rank, seeds=seeds), CONVERGED)) for rank in RANKS}
    widths = [rows[rank]["drop width"] for rank in (1, 10, 100)]
    yield ReproductionRow(
        f"MSE, σ = 1: median drop width at rank 1, 10, 100, {seeds} seeds",
        "falls (6 seeds: .93, .64, .37)",
        ", ".join(f"{width:.3f}" for width in widths),
        "ordering",
        "measured",
        all(wide > narrow for wide, narrow in pairwise(widths)),
    )
    yield from _plateaus("MSE", rows)


def cross_entropy(seeds: int = 24, steps: int = 20_000) -> Iterator[ReproductionRow]:
    """Cross-entropy: rank 10 is the worst by KL at this step; and two plateaus again."""
    rows = {
        rank: summary(
            descend(
                Descent(
                    rank=rank,
                    loss="cross-entropy",
                    learning_rate=0.03,
                    spread=0.1,
                    steps=steps,
                    seeds=seeds,
                )
            )
        )
        for rank in RANKS
    }
    kl = {rank: rows[rank]["final loss"] for rank in RANKS}
    share = {rank: rows[rank]["final / start"] for rank in RANKS}
    yield ReproductionRow(
        f"cross-entropy at step {steps}: median KL [quartiles], rank 2 / 10 / 100, {seeds} seeds",
        ".11 to .14 / .23 / .01",
        " / ".join(_with_quartiles(rows[rank]) for rank in (2, 10, 100)),
        "ordering 10 > 2 > 100",
        "measured",
        kl[10] > kl[2] > kl[100],
    )
    yield ReproductionRow(
        "the same: KL over its start",
        "orders 2 and 10 the other way",
        " / ".join(f"{share[rank]:.3f}" for rank in (2, 10, 100)),
        "",
        "reported",
        None,
    )
    yield from _plateaus("cross-entropy", rows)


def _with_quartiles(row: dict) -> str:
    low, high = row["quartiles"]
    return f"{row['final loss']:.3f} [{low:.3f}, {high:.3f}]"


def _plateaus(loss: str, rows: dict[int, dict]) -> Iterator[ReproductionRow]:
    for rank, row in rows.items():
        for flatness in THRESHOLDS:
            low, high = row[f"interval at {flatness:.0%}"]
            share = row[f"two plateaus at {flatness:.0%}"]
            yield ReproductionRow(
                f"{loss}, rank {rank}: share of seeds with two plateaus, flat at {flatness:.0%}",
                "",
                f"{share:.2f} [{low:.2f}, {high:.2f}]",
                "",
                "reported",
                None,
            )
