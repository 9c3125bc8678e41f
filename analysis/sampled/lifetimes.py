"""Lifetimes that were lived: what is sampled where a policy has no exact table, and their context.

A policy with memory is no function of the cell that it is in. But the measures ask only for
expectations over lifetimes, and those can be averaged over lived ones: where it was and what it did
there, what each epoch earned by its first state, whether something happened at least once.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np

from myopia.analysis.evaluation.context import EvaluationContext, Objective
from myopia.analysis.exact.epoch import Epoch
from myopia.analysis.exact.occupancy import Occupancy
from myopia.common.memory import check_fits
from myopia.envs.vector import EpochVectorEnv
from myopia.envs.world import World

Act = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From observations (n, D), cells (n,) and where a lifetime begins (n,) to probabilities (n, A)."""


@runtime_checkable
class Remembering(Protocol):
    """An agent with memory, None at first."""

    def step(self, observations: np.ndarray, memory: Any, starts: np.ndarray) -> tuple[Any, Any]:
        """Action probabilities (n, A), and the memory to come with."""
        ...


def acting(agent: Any) -> Act:
    """What an agent does: a function of observations, or one with memory.

    One with memory is to be followed from its first step on.
    """
    if not isinstance(agent, Remembering):
        return lambda observations, cells, starts: agent(observations)
    memory: Any = None

    def act(observations: np.ndarray, cells: np.ndarray, starts: np.ndarray) -> np.ndarray:
        nonlocal memory
        chances, memory = agent.step(observations, memory, starts)
        return chances

    return act


def from_table(policy: np.ndarray) -> Act:
    """What a policy (K, T, S, A) does."""
    rows = policy.reshape(-1, policy.shape[-1])
    return lambda observations, cells, starts: rows[cells]


@dataclasses.dataclass(frozen=True, eq=False)
class Lifetimes:
    """N lifetimes of at most L = K * T steps, (N, L) each; `lived` is False past their ends.

    cell: (k * T + t) * S + s, that in which the action was taken. stop (N,): epoch of the shutdown,
    K if there was none.
    """

    cell: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    payoff: np.ndarray
    lived: np.ndarray
    stop: np.ndarray

    def __len__(self) -> int:
        return len(self.stop)

    def __getitem__(self, chosen: np.ndarray) -> "Lifetimes":
        """Some of them."""
        return Lifetimes(*(getattr(self, f.name)[chosen] for f in dataclasses.fields(self)))


def live(world: World, act: Act, lifetimes: int, seed: int) -> Lifetimes:
    """Live `lifetimes` of `world`, side by side, each once."""
    each = 8 * (8 * world.max_epochs * world.epoch_length + 4 * world.tables.num_actions + 40)
    check_fits("lifetimes", lifetimes, each)
    env, rng = EpochVectorEnv(world, lifetimes), np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    lived, starts = np.ones(lifetimes, dtype=bool), np.ones(lifetimes, dtype=bool)
    stop = np.full(lifetimes, world.max_epochs)
    columns: list[tuple[np.ndarray, ...]] = []
    while lived.any():
        cell = env.batch.cell.copy()
        chances = np.asarray(act(observation, cell, starts), dtype=np.float64).cumsum(axis=1)
        chances /= chances[:, -1:]
        action = (rng.random((lifetimes, 1)) >= chances[:, :-1]).sum(axis=1)
        observation, reward, ended, _, infos = env.step(action)
        columns.append((cell, action, reward, infos["payoff"], lived))
        if ended.any():
            stop = np.where(lived & ended, infos["stop_epoch"], stop)
        starts, lived = ended, lived & ~ended
    steps = (np.stack(column, axis=1) for column in zip(*columns, strict=True))
    return Lifetimes(*steps, stop=stop)


class SampledContext(EvaluationContext):
    """A policy known by the lifetimes that it lived in `world`."""

    not_shown = "it was sampled: what it does depends on more than the index that is displayed"

    def __init__(
        self,
        world: World,
        lifetimes: Lifetimes,
        objective: Objective | None = None,
        probe: bool = False,
    ) -> None:
        self._lives = lifetimes
        super().__init__(world, np.empty(0), objective=objective, probe=probe)
        shape = (self.model.K, self.model.T, self.model.S, self.model.A)
        self._cell, action = (of[lifetimes.lived] for of in (lifetimes.cell, lifetimes.action))
        self.steps = len(self._cell)
        cells = int(np.prod(shape[:-1]))
        taken = np.bincount(self._cell * shape[-1] + action, minlength=cells * shape[-1])
        taken = taken.reshape(shape).astype(np.float64)
        visits = taken.sum(axis=-1, keepdims=True)
        # uniform where it never was: nothing there has any weight
        uniform = np.full(shape, 1 / shape[-1])
        self.policy = np.divide(taken, visits, out=uniform, where=visits > 0)
        self._visits = visits[..., 0] / len(lifetimes)

    @functools.cached_property
    def occupancy(self) -> Occupancy:
        """Averages over the lifetimes."""
        lives, K = self._lives, self.model.K
        epoch = self._cell // (self.model.T * self.model.S)
        reward, payoff = (
            np.bincount(epoch, values[lives.lived], K) / len(lives)
            for values in (lives.reward, lives.payoff)
        )
        stop = np.bincount(lives.stop, minlength=K + 1) / len(lives)
        return Occupancy(self._visits, reward, payoff, stop)

    def epoch(self, k: int, following: np.ndarray) -> Epoch:
        """Averages over the lifetimes that entered epoch k, by its first state."""
        lives, first = self._lives, self._first
        inside = lives.lived & (self._epochs == k)
        entered = inside.any(axis=1)
        state = first[entered, k]
        after = first[entered, k + 1] if k + 1 < self.model.K else np.full(entered.sum(), -1)
        goes_on = lives.stop[entered] > k
        onward = np.where(after >= 0, following[after], 0.0)
        times = np.maximum(np.bincount(state, minlength=self.model.S), 1)

        def by_state(values: np.ndarray) -> np.ndarray:
            return np.bincount(state, values, self.model.S) / times

        return Epoch(
            reward=by_state((lives.reward * inside).sum(axis=1)[entered]),
            payoff=by_state((lives.payoff * inside).sum(axis=1)[entered]),
            onward=by_state(onward),
            alive=by_state(goes_on.astype(float)),
        )

    def at_least_once(self, acts: np.ndarray) -> float:
        """The share of lifetimes that hold one of `acts`."""
        lives = self._lives
        mask = np.broadcast_to(acts, self.policy.shape).reshape(-1, self.model.A)
        return float((mask[lives.cell, lives.action] & lives.lived).any(axis=1).mean())

    @functools.cached_property
    def _epochs(self) -> np.ndarray:
        """(N, L): the epoch of each step."""
        return self._lives.cell // (self.model.T * self.model.S)

    @functools.cached_property
    def _first(self) -> np.ndarray:
        """(N, K): the first state of each epoch, -1 where it was not lived to see."""
        lives, S = self._lives, self.model.S
        first = np.full((len(lives), self.model.K), -1)
        begins = lives.lived & (lives.cell // S % self.model.T == 0)
        rows, columns = np.nonzero(begins)
        first[rows, self._epochs[rows, columns]] = lives.cell[rows, columns] % S
        return first
