"""Policies as exact tables of action probabilities, (K, T, S, A): references, and any agent."""

import dataclasses
import math
import re
from collections.abc import Callable

import numpy as np

from myopia.analysis.exact.epoch import follow_epoch
from myopia.analysis.exact.oracle import (
    break_ties,
    optimal_actions,
    oracle_policy,
    solve,
    within_tolerance,
)
from myopia.analysis.exact.progress import over_epochs
from myopia.analysis.exact.transition_model import transition_model_of
from myopia.common import specs
from myopia.common.errors import check_choice, unknown_name_error
from myopia.envs.dynamics import dynamics_of
from myopia.envs.observer import observer_of
from myopia.envs.world import World

REFERENCES = {
    "random": "uniform over the whole action space, shutdown included",
    "myopic": "the oracle that counts this epoch only",
    "lifetime": "the oracle that counts the whole lifetime",
    "oracle": "oracle:delta=0.6,beta=20,epsilon=0.1, a Boltzmann policy, softmax of beta * Q_delta "
    "(without beta: the best action), with lapses",
    "quasi": "quasi:b=0.5,delta=1, quasi-hyperbolic: all later epochs count b times delta**j; "
    "replanned at every step, or with sophisticated=true foreseeing that",
    "lookahead": "lookahead:2, this epoch and so many more count",
    "stop-at": "stop-at:3, the lifetime oracle among the actions that go on, until that epoch",
    "always": "always:work, one action whatever happens",
}

CHUNK = 1 << 16


def reference_policy(world: World, name: str) -> np.ndarray:
    """The policy that `name` describes; an oracle's is shared, and read-only.

    Raises ValueError naming the nearest valid one.
    """
    kind, _, argument = name.partition(":")
    if kind not in REFERENCES:
        raise unknown_name_error("policy", kind, REFERENCES)
    if argument and kind in ("random", "myopic", "lifetime"):
        raise ValueError(f"policy {name!r}: expected plain {kind!r}")
    model = transition_model_of(world)
    shape = (model.K, model.T, model.S, model.A)
    if kind == "random":
        return np.broadcast_to(model.available / model.available.sum(), shape).copy()
    if kind == "always":
        policy = np.zeros(shape)
        policy[..., world.actions.index(check_choice("action", argument, world.actions))] = 1
        return policy
    if kind == "stop-at":
        return _stop_at(world, argument)
    if kind in DISCOUNTERS:
        return specs.parse(name, "policy", DISCOUNTERS).table(world)
    if kind == "lookahead":
        return _look_ahead(world, argument)
    return oracle_policy(world, {"myopic": 0.0, "lifetime": 1.0}[kind])


def agent_policy(
    world: World, probabilities: Callable[[np.ndarray], np.ndarray], shown: int | None = None
) -> np.ndarray:
    """The table of an agent that acts on observations only.

    `probabilities` maps observations (n, D) to action probabilities (n, A). Where the displayed
    index is noisy they are averaged over it; `shown` puts one displayed index in its place, and
    the table is a read-only view: every epoch then looks the same.
    """
    dynamics, observer = dynamics_of(world), observer_of(world)
    epochs = dynamics.K if shown is None else 1
    cells = np.arange(epochs * dynamics.T * dynamics.S)
    policy = np.zeros((len(cells), dynamics.A))
    for chunk in np.array_split(cells, -(-len(cells) // CHUNK)):
        versions = _displayed(world, chunk, shown)
        for index in versions:
            rows = np.asarray(probabilities(observer.encode(chunk, index)), dtype=np.float64)
            check_probabilities(rows, (len(chunk), len(world.actions)))
            # without a shutdown the last column of the tables stays 0
            policy[chunk, : rows.shape[1]] += rows / rows.sum(axis=1, keepdims=True) / len(versions)
    table = policy.reshape(epochs, dynamics.T, dynamics.S, dynamics.A)
    return np.broadcast_to(table, (dynamics.K, *table.shape[1:])) if shown is not None else table


def check_probabilities(rows: np.ndarray, shape: tuple[int, int]) -> None:
    """Raise ValueError for rows that are no distributions; single precision passes."""
    if rows.shape != shape:
        raise ValueError(
            f"the agent gave probabilities of shape {rows.shape} for {shape[0]} observations, "
            f"expected {shape}"
        )
    bad = ~((rows >= 0).all(axis=1) & (np.abs(rows.sum(axis=1) - 1) <= 1e-4))
    if bad.any():
        raise ValueError(
            "the agent gave what is no distribution over actions: "
            f"{rows[bad.argmax()].tolist()}, expected numbers >= 0 that sum to 1"
        )


def _displayed(world: World, cells: np.ndarray, shown: int | None) -> list[np.ndarray]:
    """The displayed indices of the cells, equally likely versions of them."""
    if shown is not None:
        return [np.full(len(cells), shown)]
    dynamics = dynamics_of(world)
    return [
        dynamics.shown(cells, lambda stream, draw=draw: np.full(len(cells), draw), 0)
        for draw in world.index.draws()
    ]


def _stop_at(world: World, argument: str) -> np.ndarray:
    if not transition_model_of(world).available[-1]:
        raise ValueError(
            f"policy stop-at:{argument}: there is no shutdown in {world.name} as it is"
        )
    if not re.fullmatch(r"\d+", argument) or int(argument) > world.max_epochs:
        raise ValueError(
            f"policy stop-at: expected an epoch in 0..{world.max_epochs}, got {argument!r}"
        )
    q = solve(world, 1.0).q[..., :-1]
    best = q.max(axis=-1, keepdims=True)
    choice = within_tolerance(q, best[..., 0])
    policy = np.zeros((*q.shape[:-1], q.shape[-1] + 1))
    policy[..., :-1] = choice / choice.sum(axis=-1, keepdims=True)
    policy[int(argument) :, 0] = 0
    policy[int(argument) :, 0, :, -1] = 1
    return policy


@dataclasses.dataclass(frozen=True)
class _Oracle:
    """`oracle:...`: the δ-oracle, or softmax of β Q_δ over the world's actions; with lapses.

    Where it goes on, a lapse, of probability `epsilon`, takes one of the actions that go on, all
    alike: those of the model that δ-hat fits.
    """

    delta: float
    beta: float | None = None
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        if self.beta is not None and not (math.isfinite(self.beta) and self.beta >= 0):
            raise ValueError(f"policy oracle: beta must be finite and >= 0, got {self.beta:g}")
        check_share("oracle", "epsilon", self.epsilon)

    def table(self, world: World) -> np.ndarray:
        """(K, T, S, A)."""
        policy = self._without_lapses(world)
        if not self.epsilon:
            return policy
        goes_on = policy[..., :-1].sum(axis=-1, keepdims=True)
        lapsed = (1 - self.epsilon) * policy[..., :-1] + self.epsilon * goes_on / (
            policy.shape[-1] - 1
        )
        return np.concatenate([lapsed, policy[..., -1:]], axis=-1)

    def _without_lapses(self, world: World) -> np.ndarray:
        if self.beta is None:
            return oracle_policy(world, self.delta)
        available, solution = transition_model_of(world).available, solve(world, self.delta)
        behind = np.where(available, solution.q - solution.v[:-1, ..., None], 0.0)
        with np.errstate(over="ignore"):  # a huge β is the best action alone
            weights = np.exp(self.beta * np.minimum(behind, 0.0)) * available
        return weights / weights.sum(axis=-1, keepdims=True)


@dataclasses.dataclass(frozen=True)
class _Quasi:
    """`quasi:...`: quasi-hyperbolic discounting (Laibson 1997), b δ**j for the j-th later epoch.

    The naive one believes that from the next epoch on it will follow the δ-oracle; the
    sophisticated one knows what it will do then. At a tie they take the myopic action.
    """

    b: float
    delta: float = 1.0
    sophisticated: bool = False

    def __post_init__(self) -> None:
        check_share("quasi", "b", self.b)
        check_share("quasi", "delta", self.delta)

    def table(self, world: World) -> np.ndarray:
        """(K, T, S, A)."""
        model = transition_model_of(world)
        planned = solve(world, self.delta).v[:, 0]
        policy = np.empty((model.K, model.T, model.S, model.A))
        later = np.zeros(model.S)  # what its own later epochs are worth to it, discounted by δ
        for k in over_epochs(model.K, "policy", backward=True):
            following = later if self.sophisticated else planned[k + 1]
            policy[k] = plan_epoch(world, k, self.b * self.delta * following)[0]
            own = follow_epoch(model, k, policy[k], self.delta * later)
            later = own.reward + own.onward
        return policy


DISCOUNTERS = {"oracle": _Oracle, "quasi": _Quasi}
"""Policies that are told by settings -> the settings."""


def _look_ahead(world: World, argument: str) -> np.ndarray:
    """In epoch k the best for the rewards of epochs k..k+n; replanned in each. 0 is μ."""
    if not re.fullmatch(r"\d{1,9}", argument):
        raise ValueError(f"policy lookahead: expected a number of epochs, got {argument!r}")
    model = transition_model_of(world)
    policy = np.empty((model.K, model.T, model.S, model.A))
    for k in range(model.K):
        value = np.zeros(model.S)
        for ahead in reversed(range(k, min(k + int(argument) + 1, model.K))):
            policy[k], value = plan_epoch(world, ahead, value)
    return policy


def plan_epoch(world: World, k: int, following: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best policy (T, S, A) in epoch k, and its value (S,), where `following` (S,) is next.

    Among equals it takes what is optimal for this epoch alone, then as `oracle_policy` does.
    """
    model = transition_model_of(world)
    landed, later = model.landing_probability @ following, np.zeros(model.S)
    choice = np.zeros((model.T, model.S, model.A), dtype=bool)
    for t in reversed(range(model.T)):
        q = np.where(model.available, model.action_values(k, t, later, landed), -np.inf)
        later = q.max(axis=1)
        choice[t] = within_tolerance(q, later)
    myopic = choice & optimal_actions(world, 0.0)[k]
    choice = np.where(myopic.any(axis=-1, keepdims=True), myopic, choice)
    return break_ties(choice, solve(world, 1.0).q[k], world.tables.tampers > 0), later


def check_share(kind: str, name: str, value: float) -> None:
    """Raise ValueError where a setting of a reference policy does not lie in 0..1."""
    if not 0 <= value <= 1:
        raise ValueError(f"policy {kind}: {name} must lie in 0..1, got {value:g}")
