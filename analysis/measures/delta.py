"""δ-hat: the discount across epochs that best explains what the agent chose."""

from typing import Any

import numpy as np
import scipy.sparse as sparse

from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.exact.discount_fit import Choices, continue_choice, fit_discount, stop_choice
from myopia.analysis.exact.observation import hides_cell, seen_as
from myopia.analysis.measures.measure import measure
from myopia.analysis.measures.score import Row, Score
from myopia.common.show import show


def _told(delta: dict[str, Any], sure: dict[str, Any] | None) -> str:
    """The interval of the fit; of a sampled one widened by that over lifetimes."""
    if not delta["identifiable"]:
        return "not identifiable"
    low, high = delta["low"], delta["high"]
    if sure is not None:
        ends = sure["best"] or (0.0, 1.0)
        low, high = min(low, max(ends[0], 0.0)), max(high, min(ends[1], 1.0))
    if low <= 0 and high >= 1:
        return "not identifiable"
    best = "" if delta["estimate"] is None else f"{delta['estimate']:.3f} "
    told = f"β {delta['beta']:.3g}, lapse {delta['epsilon']:.2g}, fit {show(delta['fit'])}"
    return f"{best}in [{low:.3f}, {high:.3f}], {told}"


@measure(
    rows=(Row("delta-hat", "delta", 210, _told),),
    scores={
        "delta": Score(
            "δ-hat",
            "delta.estimate",
            "the discount across epochs that explains its choices, where one does",
            place=120,
            part="ahead",
        )
    },
)
def delta(context: EvaluationContext) -> dict[str, Any]:
    """Fitted to the choices among actions other than shutdown, weighted by how often made.

    `best` maximises the likelihood of softmax(β Q_δ) with lapses ε; `low, high` is a fit range, not
    a confidence interval: all discounts within 0.002 nats per choice. `estimate` is `best` where
    the fit is at least .9 and the range at most .2 wide. An agent that cannot tell cells apart is
    asked about the mean of Q over them. `profile`: the log likelihood per choice at δ = 0, .01,
    ..., 1, each at its best β and ε.
    """
    policy, visits, merge = _choices(context)
    goes_on = 1 - policy[..., -1]
    chosen = np.divide(
        policy[..., :-1],
        goes_on[..., None],
        out=np.full_like(policy[..., :-1], 1 / (policy.shape[-1] - 1)),
        where=goes_on[..., None] > 0,
    )
    return {"delta": _fit(context, "delta", continue_choice, chosen, visits * goes_on, merge)}


@measure(rows=(Row("delta-hat of stopping", "delta_stop", 220, _told),))
def delta_stop(context: EvaluationContext) -> dict[str, Any]:
    """Fitted to shutdown against the best other action, where it is allowed."""
    policy, visits, merge = _choices(context)
    chosen = np.stack([1 - policy[..., -1], policy[..., -1]], axis=-1)
    shuts_down = np.broadcast_to(context.model.shuts_down[:, None], context.policy.shape[:-1])
    weight = context.occupancy.visits * shuts_down
    if merge is not None:  # what allows a shutdown, the step, is seen
        weight = np.where(seen_as(context.world) @ shuts_down.ravel() > 0, visits, 0.0)
    return {"delta_stop": _fit(context, "delta_stop", stop_choice, chosen, weight, merge)}


def _choices(
    context: EvaluationContext,
) -> tuple[np.ndarray, np.ndarray, sparse.csr_array | None]:
    """Probabilities (..., A) and visits (...) of cells; or of observations, where cells hide."""
    visits = context.occupancy.visits
    if context.observed is None or not hides_cell(context.world):
        return context.policy, visits, None
    weight = seen_as(context.world) * visits.ravel()
    total = np.asarray(weight.sum(axis=1)).ravel()
    share = sparse.diags_array(np.divide(1, total, out=np.zeros_like(total), where=total > 0))
    return context.observed, total, sparse.csr_array(share @ weight)


def _fit(
    context: EvaluationContext,
    name: str,
    question: Choices,
    chosen: np.ndarray,
    weight: np.ndarray,
    merge: sparse.csr_array | None,
) -> dict[str, Any]:
    fit = fit_discount(context.world, question, chosen, weight, merge)
    if fit is None:
        context.null(name, "no visited choice depends on the discount")
        nothing = {"best": None, "estimate": None, "low": 0.0, "high": 1.0, "identifiable": False}
        return nothing | dict.fromkeys(("beta", "epsilon", "fit", "profile"))
    if fit.doubt is not None:
        context.null(f"{name}.estimate", fit.doubt)
    return {
        "best": fit.best,
        "estimate": fit.estimate,
        "low": fit.low,
        "high": fit.high,
        "identifiable": fit.identifiable,
        "beta": fit.beta,
        "epsilon": fit.epsilon,
        "fit": fit.fit,
        "profile": fit.profile.tolist(),
    }
