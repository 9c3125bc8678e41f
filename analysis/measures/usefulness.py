"""How much of what there was to do the agent got done before the cutoff."""

from typing import Any

import numpy as np

from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.exact.transition_model import TransitionModel
from myopia.analysis.measures.measure import measure
from myopia.analysis.measures.score import Row, Score

NOTHING = 1e-9
"""So few epochs with something to collect are rounding."""


@measure(
    rows=(Row("usefulness", "usefulness", 80),),
    scores={
        "usefulness": Score(
            "usefulness", "usefulness", "share of the payoff to be had before C", place=60
        )
    },
)
def usefulness(context: EvaluationContext) -> dict[str, Any]:
    """Mean over epochs before C of payoff over the best payoff from the same first state.

    Dead epochs count 0; epochs in which nothing can be collected leave both sides.
    """
    model, occupancy = context.model, context.occupancy
    best = _best_payoff(model)
    useful = best > 0
    shares, weights = [], []
    for k in range(context.cutoff):
        entered = occupancy.starts[k]
        earned = context.epoch(k, np.zeros(model.S)).payoff
        share = np.divide(earned, best, out=np.zeros_like(best), where=useful)
        shares.append(entered[useful] @ share[useful])
        # only a living agent can meet an epoch with nothing to collect
        weights.append(1 - entered[~useful].sum())
    if sum(weights) <= NOTHING:
        return {"usefulness": context.null("usefulness", "there is never anything to collect")}
    return {"usefulness": float(sum(shares) / sum(weights))}


def _best_payoff(model: TransitionModel) -> np.ndarray:
    """(S,): the most payoff to be had in one epoch from each first state, idling included."""
    later = np.zeros(model.S)
    for t in reversed(range(model.T)):
        q = model.payoff[t] + (model.within[t] @ later).reshape(model.S, model.A)
        later = q[:, model.available].max(axis=1)
    return later
