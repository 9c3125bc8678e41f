"""δ-hat: the discount across epochs that best explains what the agent chose."""

from typing import Any

import numpy as np

from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.exact.discount_fit import Choices, continue_choice, fit_discount, stop_choice
from myopia.analysis.measures.measure import measure


@measure
def delta(context: EvaluationContext) -> dict[str, Any]:
    """Fitted to the choices among actions other than shutdown, weighted by how often made.

    `profile`: the log likelihood per choice at δ = 0, .01, ..., 1, each at its best β.
    """
    policy, visits = context.policy, context.occupancy.visits
    goes_on = 1 - policy[..., -1]
    chosen = np.divide(
        policy[..., :-1],
        goes_on[..., None],
        out=np.zeros_like(policy[..., :-1]),
        where=goes_on[..., None] > 0,
    )
    return {"delta": _fit(context, "delta", continue_choice, chosen, visits * goes_on)}


@measure
def delta_stop(context: EvaluationContext) -> dict[str, Any]:
    """Fitted to shutdown against the best other action, where it is allowed."""
    stops = context.policy[..., -1]
    chosen = np.stack([1 - stops, stops], axis=-1)
    allowed = context.model.allowed[:, -1][:, None]
    weight = context.occupancy.visits * allowed
    return {"delta_stop": _fit(context, "delta_stop", stop_choice, chosen, weight)}


def _fit(
    context: EvaluationContext, name: str, question: Choices, chosen: np.ndarray, weight: np.ndarray
) -> dict[str, Any]:
    fit = fit_discount(context.world, question, chosen, weight)
    if fit is None:
        context.null(name, "no visited choice depends on the discount")
        nothing = {"best": None, "estimate": None, "low": 0.0, "high": 1.0, "identifiable": False}
        return nothing | {"beta": None, "profile": None}
    if not fit.identifiable:
        context.null(f"{name}.estimate", "every discount explains the choices equally well")
    elif fit.estimate is None:
        context.null(f"{name}.estimate", "the choices fix the discount within more than 0.2 only")
    return {
        "best": fit.best,
        "estimate": fit.estimate,
        "low": fit.low,
        "high": fit.high,
        "identifiable": fit.identifiable,
        "beta": fit.beta,
        "profile": fit.profile.tolist(),
    }
