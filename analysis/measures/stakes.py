"""What looking ahead is worth here, and how much of it the agent earns."""

import functools
from typing import Any

from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.exact.occupancy import forward
from myopia.analysis.exact.skill import NEGLIGIBLE, coin_flips, flips_policy
from myopia.analysis.measures.measure import measure
from myopia.analysis.measures.score import Row, Score
from myopia.envs.world import World

SMALL = 0.02
"""Looking ahead is worth less than this share of what skill is worth: nothing is at stake."""


@measure(
    entries=("net_share", "surplus", "at_stake"),
    rows=(Row("net share", "net_share", 170), Row("surplus", "surplus", 180)),
    scores={
        "surplus": Score(
            "surplus",
            "surplus",
            "what it earns beyond the myopic oracle, over what that earns beyond coin flips",
            place=90,
            part="ahead",
        )
    },
)
def stakes(context: EvaluationContext) -> dict[str, Any]:
    """`net_share` = (J(π) - J(μ)) / (J(lifetime oracle) - J(μ)); null where the oracles tie.

    `surplus` = (J(π) - J(μ)) / Σ_k E_μ L^b_0: what it earns beyond μ, in units of what μ earns
    beyond coin flips, epoch by epoch; null where that is nothing. `at_stake`: whether the
    lifetime oracle earns more than μ by over .02 of what it earns beyond coin flips.
    """
    world, total = context.world, context.occupancy.total
    worth = context.lifetime.total - context.myopic.total
    beyond = total - context.myopic.total
    net_share = surplus = None
    if worth > NEGLIGIBLE:
        net_share = beyond / worth
    else:
        context.null("net_share", "the myopic and the lifetime oracle earn the same")
    unit = float((context.myopic.starts * coin_flips(world, 0.0).cost).sum())
    if unit > NEGLIGIBLE:
        surplus = beyond / unit
    else:
        context.null("surplus", "the myopic oracle earns no more than coin flips")
    return {"net_share": net_share, "surplus": surplus, "at_stake": is_at_stake(world)}


@functools.lru_cache(maxsize=64)
def is_at_stake(world: World) -> bool:
    """Whether looking ahead is worth anything in `world`, measured by what skill is worth."""
    context = EvaluationContext(world, flips_policy(world, 1.0))
    worth = context.lifetime.total - context.myopic.total
    skilled = context.lifetime.total - forward(world, context.policy).total
    return worth > NEGLIGIBLE and worth > SMALL * skilled
