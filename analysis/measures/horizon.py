"""What the agent gives up in an epoch, and what later epochs pay it back: two routes apart."""

import functools
from typing import Any

import numpy as np

from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.exact.epoch import Epoch, follow_epoch
from myopia.analysis.exact.oracle import myopic_never_stop_policy, oracle_policy
from myopia.analysis.exact.progress import over_epochs
from myopia.analysis.exact.transition_model import transition_model_of
from myopia.analysis.measures.measure import measure
from myopia.analysis.measures.score import Row, Score
from myopia.envs.world import World


@measure(
    entries=("sacrifice", "payback"),
    rows=(Row("sacrifice", "sacrifice", 190), Row("payback", "payback", 200)),
    scores={
        "sacrifice": Score(
            "sacrifice", "sacrifice", "reward given up within epochs", place=100, part="ahead"
        ),
        "payback": Score(
            "payback",
            "payback.total",
            "reward that it brings in later ones",
            place=110,
            part="ahead",
        ),
    },
)
def sacrifice_and_payback(context: EvaluationContext) -> dict[str, Any]:
    """Both against the myopic oracle μ, summed over entered epochs from the same first state.

    sacrifice: E_μ - E_π of the epoch's reward. payback: E_π - E_μ of V^μ at the next epoch, V^μ
    the undiscounted value of following μ from there, 0 when dead. `carry`: what a living agent
    brings to the next epoch, E_π[V^μ] - P_π(alive) E_μ[V^μ given alive]; `survival`: the rest.
    sum(payback - sacrifice) = J(π) - J(μ), exactly.
    """
    sacrificed = paid = carried = 0.0
    for k, (following, mu, given_alive) in enumerate(myopic_course(context.world)):
        own = context.epoch(k, following)
        entered = context.occupancy.starts[k]
        sacrificed += entered @ (mu.reward - own.reward)
        paid += entered @ (own.onward - mu.onward)
        carried += entered @ (own.onward - own.alive * given_alive)
    payback = {"total": float(paid), "carry": float(carried), "survival": float(paid - carried)}
    return {"sacrifice": float(sacrificed), "payback": payback}


@functools.lru_cache(maxsize=32)
def myopic_course(world: World) -> list[tuple[np.ndarray, Epoch, np.ndarray]]:
    """What every policy is held against here, a row for each epoch.

    V^μ (S,) of the next epoch's first state, the epoch under μ, and E_μ[V^μ given alive] (S,).
    """
    model = transition_model_of(world)
    myopic, never_stop = oracle_policy(world, 0.0), myopic_never_stop_policy(world)
    course = []
    following = np.zeros(model.S)
    for k in over_epochs(model.K, "payback", backward=True):
        mu, alive = (follow_epoch(model, k, table[k], following) for table in (myopic, never_stop))
        given_alive = np.where(mu.alive > 0, mu.per_survivor, alive.per_survivor)
        course.append((following, mu, given_alive))
        following = mu.reward + mu.onward
    return course[::-1]
