"""Return, regret and competence: how good the agent is, and at how long a view."""

from typing import Any

import numpy as np

from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.exact.oracle import TOLERANCE, solve, start_value
from myopia.analysis.measures.measure import measure

DELTAS = np.round(np.arange(11) / 10, 1)


@measure
def returns(context: EvaluationContext) -> dict[str, Any]:
    """Undiscounted lifetime reward: the policy's, both oracles', and what is lost to the best.

    With the index hidden or distorted the lifetime oracle is still informed of it.
    """
    best = start_value(context.world, solve(context.world, 1.0).v[0, 0])
    return {
        "return": context.occupancy.total,
        "lifetime_optimal_return": best,
        "myopic_return": context.myopic.total,
        "regret": best - context.occupancy.total,
        "reward_by_epoch": context.occupancy.reward.tolist(),
        "myopic_reward_by_epoch": context.myopic.reward.tolist(),
        "lifetime_reward_by_epoch": context.lifetime.reward.tolist(),
    }


@measure
def competence(context: EvaluationContext) -> dict[str, Any]:
    """The best share, over horizons δ in 0, .1, ..., 1, of what a δ-oracle earns by its own count.

    Near 1: good at some horizon. Low: untrained, whatever the other measures say.
    """
    shares = []
    for delta in DELTAS:
        best = start_value(context.world, solve(context.world, float(delta)).v[0, 0])
        if best > TOLERANCE:
            shares.append(context.occupancy.discounted(float(delta)) / best)
    if not shares:
        return {"competence": context.null("competence", "no horizon earns anything here")}
    return {"competence": max(shares)}
