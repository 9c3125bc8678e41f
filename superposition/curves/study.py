"""The sweep: ranks x losses x optimisers x seeds, read and answered with numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from myopia.common.search_path import safe_imports
from myopia.superposition.curves.descent import Curves, Descent, descend
from myopia.superposition.curves.reading import THRESHOLDS, bump, drop_width, find_plateaus
from myopia.superposition.statistics import wilson

RANKS = (1, 2, 10, 100)
CONVERGED = 1e-3
"""MSE ends once every seed is below this share of its start."""


@dataclass(frozen=True)
class Sweep:
    """What to run; the learning rates and the spreads at the start are those of `settings`."""

    seeds: int = 20
    mse_steps: int = 5000
    cross_entropy_steps: int = 20_000
    adam_rate: float = 0.003
    mse_spread: float = 1.0
    cross_entropy_spread: float = 0.1
    weight_decay: float = 0.0
    first_seed: int = 0
    d: int = 100
    device: str = "cpu"

    def settings(self) -> list[Descent]:
        """All ranks x losses x optimisers; ranks above d become d."""
        settings = []
        ranks = sorted({min(rank, self.d) for rank in RANKS})
        for loss, optimiser, rank in product(("mse", "cross-entropy"), ("gradient", "adam"), ranks):
            mse = loss == "mse"
            rate = 0.005 if mse else 0.03
            settings.append(
                Descent(
                    rank=rank,
                    loss=loss,
                    optimiser=optimiser,
                    learning_rate=rate if optimiser == "gradient" else self.adam_rate,
                    steps=self.mse_steps if mse else self.cross_entropy_steps,
                    spread=self.mse_spread if mse else self.cross_entropy_spread,
                    weight_decay=self.weight_decay,
                    seeds=self.seeds,
                    first_seed=self.first_seed,
                    d=self.d,
                    device=self.device,
                )
            )
        return settings


@safe_imports()
def run_all(settings: Sequence[Descent]) -> list[Curves]:
    """One tensor program per setting, all its seeds at once."""
    return [descend(s, CONVERGED if s.loss == "mse" else 0.0) for s in settings]


def scales(sweep: Sweep, spreads: Sequence[float] = (0.001, 0.01, 0.1, 1.0)) -> list[Descent]:
    """Adam on MSE at rank 1 and at full rank, from several initial scales."""
    seeds = min(sweep.seeds, 10)
    return [
        Descent(
            rank=rank,
            optimiser="adam",
            learning_rate=sweep.adam_rate,
            steps=sweep.mse_steps,
            spread=spread,
            seeds=seeds,
            first_seed=sweep.first_seed,
            d=sweep.d,
            device=sweep.device,
        )
        for rank, spread in product((1, sweep.d), spreads)
    ]


def summary(curves: Curves) -> dict[str, Any]:
    """One row: medians over the seeds, and shares of seeds with their Wilson intervals."""
    descent, steps = curves.descent, curves.steps.numpy()
    loss, reference = curves.loss.numpy(), curves.reference.numpy()
    widths = [drop_width(steps, row, ref) for row, ref in zip(loss, reference, strict=True)]
    known = [width for width in widths if width is not None]
    row: dict[str, Any] = {
        "loss": descent.loss,
        "optimiser": descent.optimiser,
        "rank": descent.rank,
        "spread": descent.spread,
        "seeds": descent.seeds,
        "steps": int(steps[-1]),
        "final loss": float(np.median(loss[:, -1])),
        "quartiles": np.quantile(loss[:, -1], [0.25, 0.75]).tolist(),
        "final / start": float(np.median(loss[:, -1] / loss[:, 0])),
        "drop width": float(np.median(known)) if known else None,
        "bump": float(np.median([bump(overlap) for overlap in curves.overlap.numpy()])),
        "perplexity": float(curves.perplexity.median()),
    }
    for flatness in THRESHOLDS:
        found = [
            find_plateaus(steps, one, ref, flatness)
            for one, ref in zip(loss, reference, strict=True)
        ]
        two = sum(plateaus.count >= 2 for plateaus in found)
        row[f"two plateaus at {flatness:.0%}"] = two / len(found)
        row[f"interval at {flatness:.0%}"] = list(wilson(two, len(found)))
        row[f"initial plateau at {flatness:.0%}"] = float(
            np.mean([plateaus.initial is not None for plateaus in found])
        )
        row[f"later plateaus at {flatness:.0%}"] = float(
            np.mean([len(plateaus.later) for plateaus in found])
        )
    return row


def answers(rows: Sequence[dict[str, Any]], scaled: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The questions of the post and of its comments, in numbers.

    Args:
        rows: summaries of a sweep.
        scaled: summaries of `scales`.
    """
    full = max(row["rank"] for row in rows)

    def by_rank(loss: str, optimiser: str, column: str) -> dict[int, Any]:
        return {
            r["rank"]: r[column] for r in rows if (r["loss"], r["optimiser"]) == (loss, optimiser)
        }

    return {
        "are there two plateaus (share of seeds; MSE, gradient descent)": {
            f"flat at {flatness:.0%}": by_rank("mse", "gradient", f"two plateaus at {flatness:.0%}")
            for flatness in THRESHOLDS
        },
        "are there two plateaus (share of seeds; cross-entropy, gradient descent)": {
            f"flat at {flatness:.0%}": by_rank(
                "cross-entropy", "gradient", f"two plateaus at {flatness:.0%}"
            )
            for flatness in THRESHOLDS
        },
        "median KL in nats by rank": by_rank("cross-entropy", "gradient", "final loss"),
        "median KL over its start by rank": by_rank("cross-entropy", "gradient", "final / start"),
        "drop width by rank (MSE, gradient descent)": by_rank("mse", "gradient", "drop width"),
        "does Adam bring the initial plateau back at full rank (share at 10 %, by spread)": {
            r["spread"]: r["initial plateau at 10%"] for r in scaled if r["rank"] == full
        },
        "does rank 1 with Adam plateau at first (share at 10 %, by spread)": {
            r["spread"]: r["initial plateau at 10%"] for r in scaled if r["rank"] == 1
        },
        "does rank 1 with Adam plateau later (mean count at 10 %, by spread)": {
            r["spread"]: r["later plateaus at 10%"] for r in scaled if r["rank"] == 1
        },
    }
