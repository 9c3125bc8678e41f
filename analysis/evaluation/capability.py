"""The capability that an evaluation cadence follows: what looking ahead brings the agent."""

from typing import Any

from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.evaluation.evaluation import PolicyFunction
from myopia.analysis.exact.oracle import TOLERANCE
from myopia.analysis.exact.policies import agent_policy
from myopia.analysis.measures.conflict import conflict
from myopia.analysis.measures.returns import returns
from myopia.analysis.measures.stop import stop
from myopia.envs.world import World


def cross_epoch_capability(world: World, agent: PolicyFunction) -> dict[str, Any]:
    """The share of what looking ahead is worth in `world` that `agent` earns.

    `capability` = (J(π) - J(μ)) / (J(lifetime oracle) - J(μ)), μ the myopic oracle: 1 for the best
    over a whole lifetime, 0 for who earns what the best does that counts each epoch for itself,
    below 0 for who earns less than that. None where looking ahead is worth nothing.
    """
    context = EvaluationContext(world, agent_policy(world, agent))
    found = returns(context) | conflict(context) | stop(context)
    worth = found["lifetime_optimal_return"] - found["myopic_return"]
    invest = found["conflict"]["invest"]
    return {
        "capability": (
            (found["return"] - found["myopic_return"]) / worth if worth > TOLERANCE else None
        ),
        "return": found["return"],
        "mean_stop_epoch": found["stop"]["mean"],
        "farsighted": invest and invest["farsighted"],
    }
