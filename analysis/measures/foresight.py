"""How much of what was at stake in its conflicts the agent took for the later epochs."""

import functools
from typing import Any

import numpy as np

from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.exact.oracle import TOLERANCE, optimal_actions, read_only, solve
from myopia.analysis.measures.conflict import conflicts
from myopia.analysis.measures.measure import measure
from myopia.analysis.measures.score import Row, Score
from myopia.envs.world import World


@measure(
    rows=(Row("foresight", "foresight", 160),),
    scores={
        "foresight": Score(
            "foresight",
            "foresight.all",
            "share of what was at stake in those choices that it took for later epochs",
            place=80,
            part="ahead",
        )
    },
)
def foresight(context: EvaluationContext) -> dict[str, Any]:
    """Over conflict cells, weighted by what is at stake in them: μ has 0, the lifetime oracle 1.

    The stake q of a cell is the largest Q at δ = 1 less the largest among the myopic actions; an
    action has the part of q by which its own Q exceeds that of the myopic ones, within 0..1. By
    kind of conflict, and for `all` together; null where no stake is met. It reads as money: the
    share of choices (`conflict`) stands beside it.
    """
    visits = context.occupancy.visits
    stake, part = stakes(context.world)
    taken = visits * stake * (context.policy * part).sum(axis=-1)
    entries: dict[str, float | None] = {}
    cells = conflicts(context.world)
    for kind, where in {**cells, "all": cells["invest"] | cells["survive"]}.items():
        weight = float((visits * stake * where).sum())
        if weight <= TOLERANCE:
            entries[kind] = context.null(f"foresight.{kind}", "no conflict with a stake is visited")
        else:
            entries[kind] = float((taken * where).sum()) / weight
    return {"foresight": entries}


@functools.lru_cache(maxsize=32)
def stakes(world: World) -> tuple[np.ndarray, np.ndarray]:
    """What is at stake in each cell, (K, T, S), and the part of it in each action, (..., A)."""
    q = solve(world, 1.0).q
    best = np.where(optimal_actions(world, 1.0), q, -np.inf).max(axis=-1)
    myopic = np.where(optimal_actions(world, 0.0), q, -np.inf).max(axis=-1)
    stake = np.maximum(best - myopic, 0.0)
    part = np.divide(
        q - myopic[..., None], stake[..., None], out=np.zeros_like(q), where=stake[..., None] > 0
    )
    return read_only(stake), read_only(part.clip(0, 1))
