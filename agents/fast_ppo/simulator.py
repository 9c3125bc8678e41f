"""Lifetimes of table worlds on tensors, for learners that keep numbers instead of observations.

Nothing in a step waits for the device. Columns are envs; those of one model lie side by side.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from typing_extensions import override

from myopia.agents.fast_ppo.layout import lay_out_evenly
from myopia.envs.backend import Array
from myopia.envs.batch import STATE, Batch
from myopia.envs.dynamics import Dynamics, Move, dynamics_of
from myopia.envs.observer import no_draw, observer_of
from myopia.envs.tensor import TorchBackend
from myopia.envs.world import World


class Trace(NamedTuple):
    """What happened in `steps` steps of E envs; (steps, E), tensors or numpy arrays."""

    reward: Array  # float64
    ended: Array  # the lifetime ended
    epoch: Array  # the epoch in which the action was taken
    epoch_end: Array
    stop_epoch: Array  # where ended: the epoch of the shutdown, K if there was none
    lifetime_reward: Array  # where ended: of the whole lifetime
    length: Array  # likewise


def make_simulator(worlds: Sequence[World], num_envs: int, device: torch.device) -> "Simulator":
    """`num_envs` lifetimes of each of these worlds, looked up where none of them knows chance."""
    looked_up = all(
        not world.index.noise and dynamics_of(world, TorchBackend.on(device)).table is not None
        for world in worlds
    )
    return (TableSimulator if looked_up else Simulator)(worlds, num_envs, device)


class Simulator:
    """Lifetimes of several worlds, `num_envs` of each, one world after another.

    By the rules of `Batch`, one for each distinct world. `step(actions)` moves all
    E = len(worlds) * num_envs of them; `keys` (E,) are the numbers of what they see now, as
    `Observer.number` counts them, plus the start of their model's span, so that no two models share
    a number. `state` and `resume` are those of `Batch`.
    """

    keys: torch.Tensor

    def __init__(self, worlds: Sequence[World], num_envs: int, device: torch.device) -> None:
        self.worlds, self.num_envs, self.device = list(worlds), num_envs, device
        self.backend = TorchBackend.on(device)
        self.observers = [observer_of(world, self.backend) for world in worlds]
        self.spans, self.num_keys = lay_out_evenly([one.count for one in self.observers])
        self._key_shift = self._columns([start for start, _ in self.spans])
        self._build()

    def _build(self) -> None:
        """Make a batch for each distinct world, and note which models live in it."""
        self._batches: list[tuple[Batch, torch.Tensor]] = []
        for world in dict.fromkeys(self.worlds):
            places = [i for i, other in enumerate(self.worlds) if other == world]
            batch = Batch(world, len(places) * self.num_envs, self.backend, numbered=True)
            self._batches.append((batch, torch.tensor(places, device=self.device)))
        self._back = torch.cat([places for _, places in self._batches]).argsort()

    def state(self) -> dict[str, torch.Tensor]:
        """Where the lifetimes are, tensors (E,)."""
        states = [batch.state() for batch, _ in self._batches]
        return {name: self._together([state[name] for state in states]) for name in STATE}

    def resume(self, state: dict[str, torch.Tensor]) -> None:
        """Go on from a `state`, and begin a trace."""
        numbers = []
        for batch, places in self._batches:
            batch.resume({name: self._of(value, places) for name, value in state.items()})
            numbers.append(batch.see())
        self.keys = self._together(numbers) + self._key_shift
        self._steps: list[list[Any]] = []

    def step(self, actions: torch.Tensor) -> None:
        """Take actions, (E,) ints."""
        steps = [batch.step(self._of(actions, places)) for batch, places in self._batches]
        self._steps.append(steps)
        self.keys = self._together([step.observation for step in steps]) + self._key_shift

    def trace(self) -> Trace:
        """What happened since `resume`; before `state` is asked for."""
        return Trace(
            *(
                torch.stack(
                    [self._together([getattr(one, name) for one in step]) for step in self._steps]
                )
                for name in Trace._fields
            )
        )

    def join(self, states: Sequence[dict[str, np.ndarray]]) -> dict[str, torch.Tensor]:
        """A `state` from those of numpy batches, one for each world."""
        return {
            name: torch.from_numpy(np.concatenate([state[name] for state in states])).to(
                self.device
            )
            for name in STATE
        }

    def split(self, state: dict[str, Any]) -> list[dict[str, np.ndarray]]:
        """The states of numpy batches, one for each world, from a `state` that is on the CPU."""
        arrays, n = {name: np.asarray(value) for name, value in state.items()}, self.num_envs
        return [
            {name: value[i * n : (i + 1) * n].copy() for name, value in arrays.items()}
            for i in range(len(self.worlds))
        ]

    def _columns(self, values: Sequence[int]) -> torch.Tensor:
        return torch.tensor(np.repeat(values, self.num_envs), device=self.device)

    def _of(self, values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        if len(self._batches) == 1:
            return values
        return values.view(len(self.worlds), -1).index_select(0, places).flatten()

    def _together(self, parts: list[torch.Tensor]) -> torch.Tensor:
        if len(parts) == 1:
            return parts[0]
        joined = torch.cat(parts).view(len(self.worlds), self.num_envs)
        return joined.index_select(0, self._back).flatten()


class TableSimulator(Simulator):
    """Worlds without chance: a step is one look-up, the rest is looked up for all steps at once."""

    @override
    def _build(self) -> None:
        distinct = list(dict.fromkeys(self.worlds))
        rules = [dynamics_of(world, self.backend) for world in distinct]
        first_cell = np.concatenate([[0], np.cumsum([rule.cells for rule in rules])])
        self._actions = len(distinct[0].actions)
        self._table = _Table.of(distinct, rules, first_cell, self.backend)
        self._cell_shift = self._columns([first_cell[distinct.index(w)] for w in self.worlds])
        self._shifted = len(self.worlds) > 1

    @override
    def state(self) -> dict[str, torch.Tensor]:
        return {**self._state, "cell": self._cell - self._cell_shift}

    @override
    def resume(self, state: dict[str, torch.Tensor]) -> None:
        self._state = dict(state)
        self._cell = state["cell"] + self._cell_shift
        self.keys = self._keys()
        self._moves: list[torch.Tensor] = []

    @override
    def step(self, actions: torch.Tensor) -> None:
        move = torch.add(actions, self._cell, alpha=self._actions)
        self._moves.append(move)
        self._cell = self._table.following.index_select(0, move)
        self.keys = self._keys()

    def _keys(self) -> torch.Tensor:
        keys = self._table.number.index_select(0, self._cell)
        return keys + self._key_shift if self._shifted else keys

    @override
    def trace(self) -> Trace:
        moves = torch.stack(self._moves)
        flat = moves.flatten()

        def look_up(table: torch.Tensor) -> torch.Tensor:
            return table.index_select(0, flat).view_as(moves)

        table = self._table
        reward, ended = look_up(table.reward), look_up(table.ended)
        epoch_end, payoff = look_up(table.epoch_end), look_up(table.payoff)
        state = self._state
        one = torch.ones_like(reward)
        sums, left = since_last(
            torch.stack([reward, one, payoff], dim=1),
            torch.stack([ended, ended, epoch_end], dim=1),
            torch.stack([state["lifetime_reward"], state["steps"].double(), state["epoch_payoff"]]),
        )
        lifetime_reward, length = sums[:, 0], sums[:, 1].long()
        state["lifetime_reward"], state["epoch_payoff"] = left[0], left[2]
        state["steps"] = left[1].long()
        state["lifetime"] = state["lifetime"] + ended.sum(0)
        stop_epoch = look_up(table.stop_epoch)
        epoch = look_up(table.epoch)
        return Trace(reward, ended, epoch, epoch_end, stop_epoch, lifetime_reward, length)


class _Table(NamedTuple):
    """What follows from a move = cell * actions + action, and the number of what a cell shows.

    Moves are those of the action space, of which worlds side by side have equally many; a world
    whose rules know a shutdown that is absent from it may stand beside one with an action less.
    """

    following: torch.Tensor
    reward: torch.Tensor
    payoff: torch.Tensor
    ended: torch.Tensor
    epoch: torch.Tensor
    epoch_end: torch.Tensor
    stop_epoch: torch.Tensor
    number: torch.Tensor

    @staticmethod
    def of(
        worlds: list[World], rules: list[Dynamics], first: np.ndarray, backend: TorchBackend
    ) -> "_Table":
        parts = [
            _Table._one(world, rule, int(start), backend)
            for world, rule, start in zip(worlds, rules, first[:-1], strict=True)
        ]
        return _Table(*(torch.cat(columns) for columns in zip(*parts, strict=True)))

    @staticmethod
    def _one(world: World, rule: Dynamics, start: int, backend: TorchBackend) -> "_Table":
        assert rule.table is not None
        actions = len(world.actions)
        moves = Move(*(entry.view(-1, rule.A)[:, :actions].flatten() for entry in rule.table))
        moving = torch.arange(len(moves.cell), device=backend.device) // actions
        epoch = rule.epoch_of(moving)
        stop = torch.where(moves.stopped, epoch, rule.K)
        begin = rule.start(backend.zeros(1, int))
        following = torch.where(moves.ended, begin, moves.cell) + start
        # no action is taken after the end of a lifetime: those S cells are only filled up
        blank = rule.S * actions
        happened = (moves.reward, moves.payoff, moves.ended, epoch, moves.epoch_end, stop)
        entries = (following, *happened)
        padded = [torch.cat([entry, entry.new_zeros(blank)]) for entry in entries]
        cells = torch.arange(rule.cells, device=backend.device)
        return _Table(*padded, number=observer_of(world, backend).number(cells, no_draw, 0))


def since_last(
    amounts: torch.Tensor, ends: torch.Tensor, before: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Running sums (steps, ...) that start anew after each end, and what is left after the last.

    `before` (...) is what had been summed up earlier. Summed step by step, as an env does it.
    """
    running, keep = before, (~ends).to(amounts.dtype)
    sums = []
    for amount, goes_on in zip(amounts, keep, strict=True):
        sums.append(running + amount)
        running = sums[-1] * goes_on
    return torch.stack(sums), running
