"""What the agent gives up in an epoch, and what later epochs pay it back: two routes apart."""

from typing import Any

import numpy as np

from myopia.analysis.model import Model
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
    model, policy, world = subject.model, subject.policy, subject.world
    myopic, patient = oracle_policy(world, 0.0), patient_policy(world)
    following = np.zeros(model.S)
    sacrificed = paid = carried = 0.0
    for k in reversed(range(model.K)):
        own, mu, mu_alive = (
            _Epoch(model, k, table[k], following) for table in (policy, myopic, patient)
        )
        entered = subject.occupancy.starts[k]
        sacrificed += entered @ (mu.reward - own.reward)
        paid += entered @ (own.onward - mu.onward)
        given_alive = np.where(mu.alive > 0, mu.per_survivor, mu_alive.per_survivor)
        carried += entered @ (own.onward - own.alive * given_alive)
        following = mu.reward + mu.onward
    payback = {"total": float(paid), "carry": float(carried), "survival": float(paid - carried)}
    return {"sacrifice": float(sacrificed), "payback": payback}


class _Epoch:
    """One epoch under `policy` (T, S, A), by first state (S,)."""

    def __init__(self, model: Model, k: int, policy: np.ndarray, following: np.ndarray) -> None:
        landed = model.landing @ following
        self.reward = np.zeros(model.S)
        self.onward = np.zeros(model.S)  # expected value of the next epoch, 0 when dead
        self.alive = np.zeros(model.S)  # probability of living to see it
        for t in reversed(range(model.T)):
            self.reward = self._back(model, t, policy, self.reward, None, model.reward[k, t])
            self.onward = self._back(model, t, policy, self.onward, landed)
            self.alive = self._back(model, t, policy, self.alive, np.ones_like(landed))

    @property
    def per_survivor(self) -> np.ndarray:
        """Expected value of the next epoch given that it is lived to see; 0 where it never is."""
        return np.divide(
            self.onward, self.alive, out=np.zeros_like(self.onward), where=self.alive > 0
        )

    @staticmethod
    def _back(
        model: Model,
        t: int,
        policy: np.ndarray,
        later: np.ndarray,
        landed: np.ndarray | None,
        now: np.ndarray | float = 0.0,
    ) -> np.ndarray:
        onward = model.within[t] @ later
        if landed is not None:
            onward = onward + model.closing[t] @ landed
        return (policy[t] * (now + onward.reshape(model.S, model.A))).sum(axis=1)
