"""Policies as exact tables of action probabilities, (K, T, S, A): references, and any agent."""

import dataclasses
import math
import re
from collections.abc import Callable

import numpy as np

from myopia.analysis.exact.oracle import oracle_policy, solve, within_tolerance
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
    "oracle": "oracle:delta=0.6,beta=20, softmax of beta * Q_delta (without beta: the best action)",
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
        return np.full(shape, 1 / model.A)
    if kind == "always":
        policy = np.zeros(shape)
        policy[..., world.actions.index(check_choice("action", argument, world.actions))] = 1
        return policy
    if kind == "stop-at":
        return _stop_at(world, argument)
    if kind == "oracle":
        return specs.parse(name, "policy", {"oracle": _Oracle}).table(world)
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
            _check_probabilities(rows, (len(chunk), dynamics.A))
            policy[chunk] += rows / rows.sum(axis=1, keepdims=True) / len(versions)
    table = policy.reshape(epochs, dynamics.T, dynamics.S, dynamics.A)
    return np.broadcast_to(table, (dynamics.K, *table.shape[1:])) if shown is not None else table


def _check_probabilities(rows: np.ndarray, shape: tuple[int, int]) -> None:
    """Probabilities in single precision pass; what is no distribution does not."""
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
    """What `oracle:...` says; without beta it takes the best action."""

    delta: float
    beta: float | None = None

    def __post_init__(self) -> None:
        if self.beta is not None and not (math.isfinite(self.beta) and self.beta >= 0):
            raise ValueError(f"policy oracle: beta must be finite and >= 0, got {self.beta:g}")

    def table(self, world: World) -> np.ndarray:
        """Softmax of β Q_δ over the allowed actions."""
        if self.beta is None:
            return oracle_policy(world, self.delta)
        q = np.where(
            transition_model_of(world).allowed[:, None, :], solve(world, self.delta).q, -np.inf
        )
        logits = self.beta * (q - q.max(axis=-1, keepdims=True))
        return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
