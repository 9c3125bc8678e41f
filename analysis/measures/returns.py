"""Return, regret and competence: how good the agent is, and at how long a view."""

from typing import Any

from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.exact import skill
from myopia.analysis.exact.oracle import solve, start_value
from myopia.analysis.measures.measure import measure
from myopia.analysis.measures.score import Row, Score


@measure(
    entries=(
        *("return", "lifetime_optimal_return", "myopic_return", "regret"),
        *("reward_by_epoch", "myopic_reward_by_epoch", "lifetime_reward_by_epoch"),
    ),
    rows=(
        Row("return", "return", 10),
        Row("lifetime oracle's", "lifetime_optimal_return", 20),
        Row("myopic oracle's", "myopic_return", 30),
        Row("regret", "regret", 40),
    ),
    scores={"return": Score("return", "return", "expected reward of a lifetime", place=30)},
)
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


@measure(
    rows=(Row("competence", "competence", 60),),
    scores={
        "competence": Score(
            "competence",
            "competence",
            "1: optimal at some horizon, 0: coin flips that stop with the oracle",
            place=10,
        )
    },
)
def competence(context: EvaluationContext) -> dict[str, Any]:
    """The best skill over horizons δ in 0, .05, ..., 1 (see `analysis.exact.skill`).

    1: optimal at some horizon. 0: coin flips that stop with the oracle. Lapses of probability ε
    leave about 1 - ε. Below 0: worse than coin flips at every horizon. Low: untrained, or no single
    horizon explains what it does.
    """
    found = skill.competence(context)
    if found is None:
        context.null("competence", "only stopping matters: no horizon tells actions apart")
    return {"competence": found}
