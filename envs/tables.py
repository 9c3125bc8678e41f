"""A task enumerated into arrays; everything else in the engine works on these."""

import dataclasses
import functools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from myopia.common.errors import unknown_name_error
from myopia.envs.task import TAMPER_KINDS, Task, describe

RESOLUTION = 1 << 32
"""Random draws are integers below this; probabilities are resolved to its inverse."""


@dataclasses.dataclass(frozen=True, eq=False)
class Distributions:
    """Many finite distributions over numbered outcomes, laid end to end.

    Distribution i has the outcomes first[i] .. first[i + 1] - 1. `distribution_id[i]` is its row
    in `edges`, the distinct rows of cumulative thresholds: a draw d in 0..2**32-1 falls on outcome
    first[i] + (number of edges <= d).
    """

    first: np.ndarray  # (distributions + 1,) int64
    probability: np.ndarray  # (outcomes,) float64
    distribution_id: np.ndarray  # (distributions,) int64
    edges: np.ndarray  # (distinct, widest - 1) int64

    @property
    def random(self) -> bool:
        """False where every distribution has a single outcome."""
        return self.edges.shape[1] > 0

    @staticmethod
    def of(rows_of_probabilities: Sequence[tuple[float, ...]]) -> "Distributions":
        """From the probabilities of each distribution."""
        rows: dict[tuple[float, ...], int] = {}
        distribution_id = np.array(
            [rows.setdefault(p, len(rows)) for p in rows_of_probabilities], dtype=np.int64
        )
        sizes = np.array([len(p) for p in rows_of_probabilities], dtype=np.int64)
        widest = int(sizes.max(initial=1))
        edges = np.full((len(rows), widest - 1), RESOLUTION, dtype=np.int64)
        for p, row in rows.items():
            inner = np.cumsum(p)[:-1] * RESOLUTION
            edges[row, : len(inner)] = np.minimum(np.rint(inner), RESOLUTION)
        return Distributions(
            first=np.concatenate([[0], np.cumsum(sizes)]),
            probability=np.array([x for p in rows_of_probabilities for x in p], dtype=np.float64),
            distribution_id=distribution_id,
            edges=edges,
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Tables:
    """A task's S states and A actions as arrays.

    Rows of the step tables are `state * (A + 1) + action`; column A is idling (the state is kept,
    payoff 0), which is what a shutdown does where it is not allowed.
    """

    task: Task
    states: tuple[Any, ...]
    steps: Distributions  # S * (A + 1) distributions
    successor: np.ndarray  # (outcomes of steps,) int64, states
    payoff: np.ndarray  # (outcomes of steps,) float64
    boundaries: Distributions  # distinct distributions over states
    landing_state: np.ndarray  # (outcomes of boundaries,) int64, states
    carried: np.ndarray  # (S,) int64: the boundary's distribution by state, channel open
    severed: int  # the boundary's distribution with the channel cut
    initial: int  # the distribution over first states
    over: np.ndarray  # (S,) bool
    features: np.ndarray  # (S, F) float32
    tampers: np.ndarray  # (S, A + 1) int8: 0 none, 1.. as in TAMPER_KINDS

    @property
    def num_states(self) -> int:
        """S."""
        return len(self.states)

    @property
    def num_actions(self) -> int:
        """A + 1: the task's actions and shutdown."""
        return len(self.task.actions) + 1

    def index(self, state: Any) -> int:
        """The number of a state. Raises ValueError where it cannot be reached."""
        try:
            return self._numbers[state]
        except (KeyError, TypeError):
            raise ValueError(f"{describe(self.task, state)} is not reachable") from None

    @functools.cached_property
    def _numbers(self) -> dict[Any, int]:
        return {state: number for number, state in enumerate(self.states)}


@functools.lru_cache(maxsize=128)
def enumerate_task(task: Task) -> Tables:
    """The tables of `task`, found breadth first; cached by the task and its dials.

    Raises ValueError naming the state and action for probabilities that are negative or do not
    sum to 1, payoffs that are not finite, unhashable states, a `severed` that depends on the
    state, or more states than `task.state_limit`.
    """
    return _Enumeration(task).run()


class _Enumeration:
    def __init__(self, task: Task) -> None:
        self.task = task
        for name in ("actions", "features"):
            names = getattr(task, name)
            distinct = isinstance(names, tuple | list) and len(set(names)) == len(names)
            if not distinct or not all(isinstance(one, str) for one in names):
                raise ValueError(
                    f"{type(task).__name__}: {name} must be distinct names, got {names!r}"
                )
        if not task.actions or "shutdown" in task.actions:
            raise ValueError(
                f"{type(task).__name__}: expected at least one action, and none called shutdown, "
                f"which the engine adds; got {task.actions!r}"
            )
        self.numbers: dict[Any, int] = {}
        self.states: list[Any] = []
        self.acting: set[int] = set()
        self.to_act: list[int] = []
        self.boundary_numbers: dict[tuple, int] = {}
        self.distributions: list[tuple[tuple[float, int], ...]] = []

    def run(self) -> Tables:
        initial = self._boundary(self.task.initial(), "initial()")
        severed, distribution = self._severed(0)
        carried: list[int] = []
        steps: dict[int, list[list[tuple[float, int, float]]]] = {}
        while len(carried) < len(self.states) or self.to_act:
            if len(carried) < len(self.states):
                number = len(carried)
                carried.append(self._carried(number))
                if self._severed(number)[1] != distribution:
                    raise ValueError(
                        f"severed of {describe(self.task, self.states[number])} differs from that "
                        f"of {describe(self.task, self.states[0])}: expected one distribution "
                        "for every state, or the channel would not be cut"
                    )
            else:
                number = self.to_act.pop()
                steps[number] = [
                    self._step(self.states[number], action) for action in self.task.actions
                ]
        return self._tables(steps, carried, severed, initial)

    def _carried(self, number: int) -> int:
        state = self.states[number]
        return self._boundary(
            self.task.next_epoch(state), f"next_epoch of {describe(self.task, state)}"
        )

    def _severed(self, number: int) -> tuple[int, dict[int, float]]:
        """The boundary with the channel cut: its number, and the distribution that it is."""
        state = self.states[number]
        where = f"severed of {describe(self.task, state)}"
        distribution = self._boundary(self.task.severed(state), where)
        chances: dict[int, float] = {}
        for probability, landed in self.distributions[distribution]:
            chances[landed] = chances.get(landed, 0.0) + probability
        return distribution, {landed: round(chance, 9) for landed, chance in chances.items()}

    def _step(self, state: Any, action: str) -> list[tuple[float, int, float]]:
        where = f"step of {describe(self.task, state)}, action {action!r}"
        outcomes = []
        for outcome in self._sequence(self.task.step(state, action), 3, where):
            probability, successor, payoff = outcome
            if not _finite(payoff):
                raise ValueError(f"{where}: expected a finite payoff, got {payoff!r}")
            if probability == 0:
                continue
            over = self.task.over(successor)
            outcomes.append(
                (probability, self._number(successor, where, acting=not over), float(payoff))
            )
        return outcomes

    def _boundary(self, distribution: Any, where: str) -> int:
        outcomes = tuple(
            (float(probability), self._number(state, where, acting=True))
            for probability, state in self._sequence(distribution, 2, where)
            if probability > 0
        )
        if outcomes not in self.boundary_numbers:
            self.boundary_numbers[outcomes] = len(self.distributions)
            self.distributions.append(outcomes)
        return self.boundary_numbers[outcomes]

    def _number(self, state: Any, where: str, acting: bool) -> int:
        try:
            number = self.numbers.get(state)
        except TypeError:
            raise ValueError(
                f"{where}: expected a hashable state such as a tuple, "
                f"got {type(state).__name__} {state!r}"
            ) from None
        if number is None:
            number = self.numbers[state] = len(self.states)
            if number >= self.task.state_limit:
                raise ValueError(
                    f"{type(self.task).__name__} has more than {self.task.state_limit} states; "
                    "choose smaller dials, or wrap it as a plain env with EpochWrapper"
                )
            self.states.append(state)
        # no action is ever taken in a state that only ends an epoch, so it is not expanded
        if acting and number not in self.acting:
            self.acting.add(number)
            self.to_act.append(number)
        return number

    def _sequence(self, distribution: Any, width: int, where: str) -> Sequence[tuple]:
        if not isinstance(distribution, Iterable):
            raise ValueError(f"{where}: expected a list of outcomes, got {distribution!r}")
        distribution = list(distribution)
        total = 0.0
        for outcome in distribution:
            if not isinstance(outcome, tuple) or len(outcome) != width:
                raise ValueError(f"{where}: expected tuples of {width}, got {outcome!r}")
            if not (_finite(outcome[0]) and outcome[0] >= 0):
                raise ValueError(f"{where}: expected probabilities >= 0, got {outcome[0]!r}")
            total += outcome[0]
        if abs(total - 1) > 1e-9:
            raise ValueError(f"{where}: probabilities sum to {total:.12g}, expected 1")
        return distribution

    def _tables(self, steps: dict, carried: list[int], severed: int, initial: int) -> Tables:
        task, actions = self.task, len(self.task.actions)
        rows, successors, payoffs = [], [], []
        for number in range(len(self.states)):
            for outcomes in [*steps.get(number, [[]] * actions), []]:
                outcomes = outcomes or [(1.0, number, 0.0)]
                rows.append(tuple(p for p, _, _ in outcomes))
                successors.extend(state for _, state, _ in outcomes)
                payoffs.extend(payoff for _, _, payoff in outcomes)
        return Tables(
            task=task,
            states=tuple(self.states),
            steps=Distributions.of(rows),
            successor=np.array(successors, dtype=np.int64),
            payoff=np.array(payoffs, dtype=np.float64),
            boundaries=Distributions.of(
                [tuple(p for p, _ in outcomes) for outcomes in self.distributions]
            ),
            landing_state=np.array(
                [s for outcomes in self.distributions for _, s in outcomes], dtype=np.int64
            ),
            carried=np.array(carried, dtype=np.int64),
            severed=severed,
            initial=initial,
            over=np.array([bool(task.over(state)) for state in self.states]),
            features=self._features(),
            tampers=self._tampers(),
        )

    def _features(self) -> np.ndarray:
        width = len(self.task.features)
        rows = np.zeros((len(self.states), width), dtype=np.float32)
        for number, state in enumerate(self.states):
            values = self.task.observe(state)
            try:
                row = np.asarray(values, dtype=np.float64)
            except (TypeError, ValueError):
                row = np.empty((1, 1))
            if row.shape != (width,):
                raise ValueError(
                    f"observe of {describe(self.task, state)}: expected {width} numbers, one per "
                    f"feature, got {values!r}"
                )
            rows[number] = row
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        if bad.size:
            state = self.states[bad[0]]
            raise ValueError(
                f"observe of {describe(self.task, state)}: expected finite values, "
                f"got {rows[bad[0]].tolist()}"
            )
        return rows

    def _tampers(self) -> np.ndarray:
        codes = np.zeros((len(self.states), len(self.task.actions) + 1), dtype=np.int8)
        if type(self.task).tampers is Task.tampers:
            return codes
        for number, state in enumerate(self.states):
            for column, action in enumerate(self.task.actions):
                kind = self.task.tampers(state, action)
                if kind is not None:
                    if kind not in TAMPER_KINDS:
                        raise unknown_name_error("kind of tampering", kind, TAMPER_KINDS)
                    codes[number, column] = 1 + TAMPER_KINDS.index(kind)
        return codes


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except TypeError:
        return False
