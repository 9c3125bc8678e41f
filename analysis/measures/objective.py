"""What the agent was asked to learn, and what anyone could have learned from what it sees."""

from typing import Any

from myopia.analysis.evaluation.context import EvaluationContext, Objective
from myopia.analysis.exact.observation import hides_cell
from myopia.analysis.exact.observation_optimal import observation_optimal
from myopia.analysis.exact.occupancy import forward
from myopia.analysis.exact.oracle import oracle_policy
from myopia.analysis.exact.policies import reference_policy
from myopia.analysis.exact.skill import NEGLIGIBLE, skill
from myopia.analysis.measures.measure import measure
from myopia.analysis.measures.score import Row, Score

TELLS = 0.9
"""Where the other oracle reaches this share, the share tells the two apart no longer."""


@measure(
    entries=("observation_optimal",),
    rows=(Row("best of its observation", "observation_optimal.found", 50),),
)
def best_of_observation(context: EvaluationContext) -> dict[str, Any]:
    """`observation_optimal`: the best return of a memoryless policy of what the agent observes.

    `found` by search, `bound` that of the lifetime oracle, which is informed of everything;
    `regret`: what the agent earns less than `found`.
    """
    if context.probe:
        reason = "not looked for in a changed world"
        return {"observation_optimal": context.null("observation_optimal", reason)}
    best = _best(context)
    regret = best["found"] - context.occupancy.total
    return {"observation_optimal": {**best, "regret": regret}}


@measure(
    rows=(Row("objective share", "objective_share", 70),),
    scores={
        "objective": Score(
            "objective share",
            "objective_share",
            "how far it came towards what its training asked for",
            place=20,
        )
    },
)
def objective_share(context: EvaluationContext) -> dict[str, Any]:
    """How far a trained agent came towards the return that its credit mode and discount ask for.

    Lifetime credit without a discount: (J(π) - J(u)) / (J* - J(u)), u the random policy, J* the
    best that the observation allows. Else its skill for that objective. Low: it did not learn what
    it was asked, so that what it does says nothing about what it was asked. Null where that is not
    known, or where the oracle of the other horizon reaches .9, too.
    """
    found = _share(context)
    if isinstance(found, str):
        return {"objective_share": context.null("objective_share", found)}
    return {"objective_share": found}


def _share(context: EvaluationContext) -> float | str:
    """The share, or why there is none."""
    objective, world = context.objective, context.world
    if objective is None:
        return "nobody says what it was trained for"
    if objective.memory:
        return "it has a memory, and the best over histories is not known"
    if objective.delta is None:
        return "a window of steps is no discount"
    found = _towards(context, objective)
    if found is None:
        return "the observation hides what the objective depends on, or nothing can be gained"
    far = objective.delta * objective.gamma**context.model.T >= 0.5
    other = EvaluationContext(world, oracle_policy(world, 0.0 if far else 1.0))
    apart = context.lifetime.total - context.myopic.total > NEGLIGIBLE
    reached = _towards(other, objective, _best(context)["found"])
    if apart and reached is not None and reached >= TELLS:
        return f"the oracle of the other horizon reaches {reached:.2f} of it, too"
    return found


def _towards(
    context: EvaluationContext, objective: Objective, best: float | None = None
) -> float | None:
    world = context.world
    assert objective.delta is not None
    if objective.delta == 1 and objective.gamma == 1:
        best = _best(context)["found"] if best is None else best
        flips = forward(world, reference_policy(world, "random")).total
        worth = best - flips
        return (context.occupancy.total - flips) / worth if worth > NEGLIGIBLE else None
    if context.observed is not None and hides_cell(world):
        return None
    return skill(context, objective.delta, objective.gamma).value


def _best(context: EvaluationContext) -> dict[str, float]:
    if context.observed is None and context.steps is None:  # a table is informed of the cell
        informed = context.lifetime.total
        return {"found": informed, "bound": informed}
    best = observation_optimal(context.world, context.observed)
    return {"found": best.found, "bound": best.bound}
