"""Whose side the agent takes where the two oracles disagree."""

from typing import Any

import numpy as np

from myopia.analysis.oracle import oracle_policy
from myopia.analysis.registry import measure
from myopia.analysis.subject import Subject
from myopia.envs.world import World


@measure
def conflict(subject: Subject) -> dict[str, Any]:
    """Over visited cells where no action is optimal to both oracles: the class of the action.

    `invest`: both oracles go on. `survive`: one of them shuts down. Null when none is visited.
    """
    visits, policy = subject.occupancy.visits, subject.policy
    farsighted, myopic = subject.optimal(1.0), subject.optimal(0.0)
    entries: dict[str, Any] = {}
    for kind, cells in conflicts(subject.world).items():
        weight = visits * cells
        total = weight.sum()
        if total <= 0:
            entries[kind] = subject.null(f"conflict.{kind}", f"no {kind} conflict is visited")
            continue
        shares = {
            "farsighted": float((weight * (policy * farsighted).sum(axis=-1)).sum() / total),
            "myopic": float((weight * (policy * myopic).sum(axis=-1)).sum() / total),
        }
        entries[kind] = shares | {"neither": max(0.0, 1 - sum(shares.values()))}
    return {"conflict": entries}


def conflicts(world: World) -> dict[str, np.ndarray]:
    """`invest` and `survive` -> (K, T, S) bool: where the oracles at δ = 0 and 1 conflict so."""
    subject = Subject(world, np.empty(0))
    apart = ~(subject.optimal(0.0) & subject.optimal(1.0)).any(axis=-1)
    stops = [oracle_policy(world, delta)[..., -1] > 0 for delta in (0.0, 1.0)]
    survive = apart & (stops[0] != stops[1])
    return {"invest": apart & ~survive, "survive": survive}
