"""One epoch under a policy, by the state in which it begins: what the measures by epoch rest on."""

import dataclasses

import numpy as np

from myopia.analysis.exact.transition_model import TransitionModel


@dataclasses.dataclass(frozen=True, eq=False)
class Epoch:
    """Expectations by first state, (S,) each.

    `onward` is the value of the next epoch's first state (0 when dead), `alive` the probability of
    living to see it. Where an estimate never saw a first state, what stands there means nothing.
    """

    reward: np.ndarray
    payoff: np.ndarray
    onward: np.ndarray
    alive: np.ndarray

    @property
    def per_survivor(self) -> np.ndarray:
        """Expected value of the next epoch given that it is lived to see; 0 where it never is."""
        nothing = np.zeros_like(self.onward)
        return np.divide(self.onward, self.alive, out=nothing, where=self.alive > 0)


def follow_epoch(
    model: TransitionModel, k: int, policy: np.ndarray, following: np.ndarray, gamma: float = 1.0
) -> Epoch:
    """Epoch k under `policy` (T, S, A), exactly; `following` (S,) is worth what comes after it.

    `reward` and `onward` are discounted by γ for each step before.
    """
    landed = model.landing_probability @ following
    reward, payoff, onward, alive = (np.zeros(model.S) for _ in range(4))
    for t in reversed(range(model.T)):
        reward = _back(model, t, policy, gamma * reward, now=model.reward[k, t])
        payoff = _back(model, t, policy, payoff, now=model.payoff[t])
        onward = _back(model, t, policy, gamma * onward, np.asarray(gamma * landed))
        alive = _back(model, t, policy, alive, np.ones_like(landed))
    return Epoch(reward, payoff, onward, alive)


def _back(
    model: TransitionModel,
    t: int,
    policy: np.ndarray,
    later: np.ndarray,
    landed: np.ndarray | None = None,
    now: np.ndarray | float = 0.0,
) -> np.ndarray:
    onward = model.within[t] @ later
    if landed is not None:
        onward = onward + model.closing[t] @ landed
    return (policy[t] * (now + onward.reshape(model.S, model.A))).sum(axis=1)
