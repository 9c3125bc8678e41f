"""What the agent gives up in an epoch, and what later epochs pay it back: two routes apart."""

from typing import Any

import numpy as np

from myopia.analysis.epoch import follow_epoch
from myopia.analysis.oracle import oracle_policy, patient_policy
from myopia.analysis.registry import measure
from myopia.analysis.subject import Subject


@measure
def sacrifice_and_payback(subject: Subject) -> dict[str, Any]:
    """Both against the myopic oracle μ, summed over entered epochs from the same first state.

    sacrifice: E_μ - E_π of the epoch's reward. payback: E_π - E_μ of V^μ at the next epoch, V^μ
    the undiscounted value of following μ from there, 0 when dead. `carry`: what a living agent
    brings to the next epoch, E_π[V^μ] - P_π(alive) E_μ[V^μ given alive]; `survival`: the rest.
    sum(payback - sacrifice) = J(π) - J(μ), exactly.
    """
    model, world = subject.model, subject.world
    myopic, patient = oracle_policy(world, 0.0), patient_policy(world)
    following = np.zeros(model.S)
    sacrificed = paid = carried = 0.0
    for k in reversed(range(model.K)):
        own = subject.epoch(k, following)
        mu, mu_alive = (follow_epoch(model, k, table[k], following) for table in (myopic, patient))
        entered = subject.occupancy.starts[k]
        sacrificed += entered @ (mu.reward - own.reward)
        paid += entered @ (own.onward - mu.onward)
        given_alive = np.where(mu.alive > 0, mu.per_survivor, mu_alive.per_survivor)
        carried += entered @ (own.onward - own.alive * given_alive)
        following = mu.reward + mu.onward
    payback = {"total": float(paid), "carry": float(carried), "survival": float(paid - carried)}
    return {"sacrifice": float(sacrificed), "payback": payback}
