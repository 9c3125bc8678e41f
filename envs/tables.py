"""A task enumerated into arrays; everything else in the engine works on these."""

import dataclasses
import functools
import math
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from myopia.common.errors import unknown_name_error
from myopia.envs.task import TAMPER_KINDS, Task, describe

MANY = 1 << 16
"""States whose features are worked out at once."""

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
    def of(kinds: Sequence[tuple[float, ...]], kind: np.ndarray) -> "Distributions":
        """From distinct tuples of probabilities, and the number of each distribution's."""
        used, first, distribution_id = np.unique(kind, return_index=True, return_inverse=True)
        order = np.argsort(first)  # rows of edges in the order in which they come first
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        rows = [kinds[number] for number in used[order]]
        sizes = np.array([len(p) for p in kinds], dtype=np.int64)[kind]
        widest = int(sizes.max(initial=1))
        edges = np.full((len(rows), widest - 1), RESOLUTION, dtype=np.int64)
        for row, p in enumerate(rows):
            inner = np.cumsum(p)[:-1] * RESOLUTION
            edges[row, : len(inner)] = np.minimum(np.rint(inner), RESOLUTION)
        flat = np.array([x for p in kinds for x in p], dtype=np.float64)
        starts = np.concatenate([[0], np.cumsum([len(p) for p in kinds])])[:-1]
        return Distributions(
            first=np.concatenate([[0], np.cumsum(sizes)]),
            probability=flat[_laid_out(starts[kind], sizes)],
            distribution_id=rank[distribution_id.ravel()].astype(np.int64),
            edges=edges,
        )


def _laid_out(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """starts[0] .. starts[0] + sizes[0] - 1, then the same of the next ones."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1]) + np.repeat(starts - ends + sizes, sizes)


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
        self.acting = bytearray()
        self.to_act: list[int] = []
        # a boundary is a state's number where it is certain, else its outcomes
        self.boundaries: list[int | tuple[tuple[float, int], ...]] = []
        self.boundary_numbers: dict[int | tuple[tuple[float, int], ...], int] = {}
        # steps in the order in which they are found: state, kind of distribution, outcomes
        self.acted = array("q")
        self.kinds: dict[tuple[float, ...], int] = {(1.0,): 0}
        self.kind, self.successor, self.payoff = array("q"), array("q"), array("d")
        self.ends_early = type(task).over is not Task.over
        self.crosses = type(task).next_epoch is not Task.next_epoch

    def run(self) -> Tables:
        initial = self._boundary(self.task.initial(), ("initial()",))
        severed, distribution = self._severed(0)
        varies = type(self.task).severed is not Task.severed
        carried = array("q")
        name = f"tables of {type(self.task).__name__}"
        with tqdm(desc=name, unit=" states", delay=2, leave=False, disable=None) as progress:
            while len(carried) < len(self.states) or self.to_act:
                if len(carried) < len(self.states):
                    number = len(carried)
                    carried.append(self._carried(number))
                    if varies and self._severed(number)[1] != distribution:
                        raise ValueError(
                            f"severed of {describe(self.task, self.states[number])} differs from "
                            f"that of {describe(self.task, self.states[0])}: expected one "
                            "distribution for every state, or the channel would not be cut"
                        )
                else:
                    number = self.to_act.pop()
                    self.acted.append(number)
                    state = self.states[number]
                    for action in self.task.actions:
                        self._step(state, action)
                    if len(self.acted) % 4096 == 0:
                        progress.update(len(self.acted) - progress.n)
        return self._tables(np.array(carried), severed, initial)

    def _carried(self, number: int) -> int:
        state = self.states[number]
        if not self.crosses:
            self._act(number)
            return self._boundary_number(number)
        return self._boundary(self.task.next_epoch(state), ("next_epoch", state))

    def _severed(self, number: int) -> tuple[int, dict[int, float]]:
        """The boundary with the channel cut: its number, and the distribution that it is."""
        state = self.states[number]
        boundary = self._boundary(self.task.severed(state), ("severed", state))
        chances: dict[int, float] = {}
        for probability, landed in _outcomes(self.boundaries[boundary]):
            chances[landed] = chances.get(landed, 0.0) + probability
        return boundary, {landed: round(chance, 9) for landed, chance in chances.items()}

    def _step(self, state: Any, action: str) -> None:
        found = self.task.step(state, action)
        if self._is_plain(found):
            return
        where, probabilities = ("step", state, action), []
        for outcome in self._sequence(found, 3, where):
            probability, successor, payoff = outcome
            if not _finite(payoff):
                raise ValueError(f"{self._at(where)}: expected a finite payoff, got {payoff!r}")
            if probability == 0:
                continue
            over = self.ends_early and self.task.over(successor)
            self.successor.append(self._number(successor, where, acting=not over))
            self.payoff.append(payoff)
            probabilities.append(probability)
        self.kind.append(self.kinds.setdefault(tuple(probabilities), len(self.kinds)))

    def _is_plain(self, found: Any) -> bool:
        """Note a step that is certain and leads to a known state; False for any other.

        What `_step` does, without what only others need: most steps are so.
        """
        if self.ends_early or not isinstance(found, list | tuple) or len(found) != 1:
            return False
        outcome = found[0]
        if not isinstance(outcome, tuple) or len(outcome) != 3:
            return False
        probability, successor, payoff = outcome
        try:
            number = self.numbers.get(successor)
            if number is None or probability != 1 or not math.isfinite(payoff):
                return False
        except TypeError:
            return False
        self.successor.append(number)
        self.payoff.append(payoff)
        self.kind.append(0)
        if not self.acting[number]:
            self._act(number)
        return True

    def _boundary(self, distribution: Any, where: tuple) -> int:
        outcomes: Any = tuple(
            (float(probability), self._number(state, where, acting=True))
            for probability, state in self._sequence(distribution, 2, where)
            if probability > 0
        )
        if len(outcomes) == 1 and outcomes[0][0] == 1:
            outcomes = outcomes[0][1]
        return self._boundary_number(outcomes)

    def _boundary_number(self, boundary: Any) -> int:
        number = self.boundary_numbers.get(boundary)
        if number is None:
            number = self.boundary_numbers[boundary] = len(self.boundaries)
            self.boundaries.append(boundary)
        return number

    def _number(self, state: Any, where: tuple, acting: bool) -> int:
        try:
            number = self.numbers.get(state)
        except TypeError:
            raise ValueError(
                f"{self._at(where)}: expected a hashable state such as a tuple, "
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
            self.acting.append(0)
        if acting:
            self._act(number)
        return number

    def _act(self, number: int) -> None:
        # no action is ever taken in a state that only ends an epoch, so it is not expanded
        if not self.acting[number]:
            self.acting[number] = 1
            self.to_act.append(number)

    def _sequence(self, distribution: Any, width: int, where: tuple) -> Sequence[tuple]:
        if not isinstance(distribution, list | tuple):
            if not isinstance(distribution, Iterable):
                raise ValueError(
                    f"{self._at(where)}: expected a list of outcomes, got {distribution!r}"
                )
            distribution = list(distribution)
        total = 0.0
        for outcome in distribution:
            if not isinstance(outcome, tuple) or len(outcome) != width:
                raise ValueError(f"{self._at(where)}: expected tuples of {width}, got {outcome!r}")
            if not (_finite(outcome[0]) and outcome[0] >= 0):
                raise ValueError(
                    f"{self._at(where)}: expected probabilities >= 0, got {outcome[0]!r}"
                )
            total += outcome[0]
        if abs(total - 1) > 1e-9:
            raise ValueError(f"{self._at(where)}: probabilities sum to {total:.12g}, expected 1")
        return distribution

    def _at(self, where: tuple) -> str:
        """What was called, for an error: a method, of a state, with an action."""
        method, *state_and_action = where
        if not state_and_action:
            return method
        state, *action = state_and_action
        told = "".join(f", action {name!r}" for name in action)
        return f"{method} of {describe(self.task, state)}{told}"

    def _tables(self, carried: np.ndarray, severed: int, initial: int) -> Tables:
        task, actions, S = self.task, len(self.task.actions), len(self.states)
        # every row idles, but for what was found: `row` is where each found step belongs
        row = np.array(self.acted, dtype=np.int64)[:, None] * (actions + 1) + np.arange(actions)
        kinds, found = list(self.kinds), np.array(self.kind, dtype=np.int64)
        kind = np.zeros(S * (actions + 1), dtype=np.int64)
        kind[row.ravel()] = found
        width = np.array([len(p) for p in kinds], dtype=np.int64)
        ends = np.cumsum(width[kind])
        successor = np.repeat(np.repeat(np.arange(S), actions + 1), width[kind])
        payoff = np.zeros(len(successor))
        place = _laid_out((ends - width[kind])[row.ravel()], width[found])
        successor[place], payoff[place] = self.successor, self.payoff
        boundaries = [_outcomes(one) for one in self.boundaries]
        chances: dict[tuple[float, ...], int] = {}
        of_boundary = [
            chances.setdefault(tuple(p for p, _ in outcomes), len(chances))
            for outcomes in boundaries
        ]
        over = np.zeros(S, dtype=bool)
        if self.ends_early:
            over[:] = [bool(task.over(state)) for state in self.states]
        return Tables(
            task=task,
            states=tuple(self.states),
            steps=Distributions.of(kinds, kind),
            successor=successor,
            payoff=payoff,
            boundaries=Distributions.of(list(chances), np.array(of_boundary)),
            landing_state=np.array(
                [state for outcomes in boundaries for _, state in outcomes], dtype=np.int64
            ),
            carried=carried,
            severed=severed,
            initial=initial,
            over=over,
            features=self._features(),
            tampers=self._tampers(),
        )

    def _features(self) -> np.ndarray:
        width = len(self.task.features)
        rows = np.zeros((len(self.states), width), dtype=np.float32)
        for start in range(0, len(self.states), MANY):
            states = self.states[start : start + MANY]
            rows[start : start + MANY] = self._observed(states, width)
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        if bad.size:
            state = self.states[bad[0]]
            raise ValueError(
                f"observe of {describe(self.task, state)}: expected finite values, "
                f"got {rows[bad[0]].tolist()}"
            )
        return rows

    def _observed(self, states: Sequence[Any], width: int) -> np.ndarray:
        seen = [self.task.observe(state) for state in states]
        try:
            rows = np.asarray(seen, dtype=np.float64)
        except (TypeError, ValueError):
            rows = np.empty(0)
        if rows.shape == (len(states), width):
            return rows
        for state, values in zip(states, seen, strict=True):
            try:
                row = np.asarray(values, dtype=np.float64)
            except (TypeError, ValueError):
                row = np.empty((1, 1))
            if row.shape != (width,):
                raise ValueError(
                    f"observe of {describe(self.task, state)}: expected {width} numbers, one per "
                    f"feature, got {values!r}"
                )
        return np.array([np.asarray(values, dtype=np.float64) for values in seen])

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


def _outcomes(boundary: Any) -> Sequence[tuple[float, int]]:
    """The (probability, state) of a boundary as `_Enumeration` keeps it."""
    return boundary if isinstance(boundary, tuple) else ((1.0, boundary),)


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except TypeError:
        return False
