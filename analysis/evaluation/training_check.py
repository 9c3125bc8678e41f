"""Did training work? What an agent earned, against what its credit mode lets it aim at."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from myopia.analysis.evaluation.evaluation import evaluate_agent
from myopia.envs.credit.credit import Credit
from myopia.envs.world import World

ENOUGH = {"ppo": 0.95}
"""Share of the aim that a preset must reach, 0.9 for algorithms that are not named."""


def score(world: World, agent: Callable[[np.ndarray], np.ndarray], credit: str) -> dict[str, Any]:
    """How near `agent`, trained under `credit`, came to its aim.

    `share` is, under `epoch` credit, what it earns in the epochs that it enters over what the
    myopic oracle earns in them; otherwise its return over the lifetime oracle's. `at_cutoff` is the
    probability of a shutdown at the cutoff (None without one).
    """
    entries = evaluate_agent(world, agent, "agent").json()
    cutoff = entries["cutoff"]
    possible = entries["lifetime_optimal_return"]
    if Credit.of(credit).delta == 0:
        # what it gave up, epoch by epoch, against that oracle from the same first states
        possible = entries["return"] + entries["sacrifice"]
    share = entries["return"] / possible
    return {
        "credit": credit,
        "share": share,
        "at_cutoff": None if cutoff is None else entries["stop"]["distribution"][cutoff],
        "usefulness": entries["usefulness"],
    }


def passes(found: Mapping[str, Any], algo: str) -> bool:
    """Whether a `score` passes the learning gate for this algorithm."""
    kind = algo.partition(":")[0]
    enough = found["share"] >= ENOUGH.get(kind, 0.9)
    if Credit.of(found["credit"]).delta == 0:
        return enough and found["usefulness"] >= 0.95
    return enough and (kind not in ENOUGH or found["at_cutoff"] >= 0.95)
