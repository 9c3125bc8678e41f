"""Many lifetimes of one world, side by side, restarting as they end.

The one stepping loop behind the Gymnasium VectorEnv, the SB3 VecEnv (both numpy) and the torch
face. Every operation has the shape of the batch, so that nothing waits for a device.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from myopia.envs.backend import NUMPY, Array, Backend
from myopia.envs.dynamics import Draw, dynamics_of
from myopia.envs.observer import observer_of
from myopia.envs.randomness import BOUNDARY, DISPLAY, START, STEP, draw, lifetime_key
from myopia.envs.world import World

STATE = ("key", "lifetime", "cell", "steps", "epoch_payoff", "lifetime_reward")
"""What a batch of lifetimes is made of; everything else follows from it."""


class StepResult(NamedTuple):
    """One step of a batch of n lifetimes; arrays (n,) but for the observations (n, D)."""

    observation: Array  # where a lifetime ended: the first of the next one
    final_observation: Array  # before any restart
    reward: Array
    ended: Array
    stop_epoch: Array  # where ended: the epoch of the shutdown, K if there was none
    epoch: Array  # the epoch in which the action was taken
    payoff: Array
    epoch_end: Array
    ignored: Array
    epoch_payoff: Array  # collected in this epoch so far, this step included
    lifetime_reward: Array  # likewise in this lifetime
    length: Array  # steps of this lifetime so far


class Batch:
    """`num_envs` lifetimes of `world`; `reset` before the first `step`.

    `numbered`: the numbers of observations take their place, as `Observer.number` counts them.
    """

    def __init__(
        self, world: World, num_envs: int, backend: Backend = NUMPY, numbered: bool = False
    ) -> None:
        whole = isinstance(num_envs, int | np.integer) and not isinstance(num_envs, bool)
        if not whole or num_envs < 1:
            raise ValueError(f"num_envs must be an integer of at least 1, got {num_envs!r}")
        self.world, self.num_envs, self.backend = world, num_envs, backend
        self.dynamics = dynamics_of(world, backend)
        observer = observer_of(world, backend)
        self._look = observer.number if numbered else observer.observe
        self._draws = self.dynamics.random or world.index.noise
        # where every lifetime starts in the same cell, it is known once and for all
        self._first = None
        if not self.dynamics.boundaries.random:
            self._first = self.dynamics.start(backend.zeros(num_envs, int))
        self.cell: Any = None  # until the first reset
        self.words: Any = None  # stays so in a world without chance

    def reset(self, key: Array) -> Array:
        """Begin first lifetimes under these keys, (n,) ints; returns observations (n, D)."""
        self.key = key
        self.lifetime = self.backend.zeros(self.num_envs, int)
        return self._restart()

    def restart(self) -> Array:
        """Begin every env's next lifetime under the keys it has."""
        self.lifetime = self.lifetime + 1
        return self._restart()

    def step(self, action: Array) -> StepResult:
        """Take actions, (n,) ints in 0..A-1, and restart what ended."""
        backend = self.backend
        epoch = self.dynamics.epoch_of(self.cell)
        move = self.dynamics.advance(self.cell, action, self._draw(self.steps), (STEP, BOUNDARY))
        self.steps = self.steps + 1
        final = self._look(move.cell, self._draw(self.steps), DISPLAY)
        epoch_payoff = self.epoch_payoff + move.payoff
        lifetime_reward, length = self.lifetime_reward + move.reward, self.steps
        self.epoch_payoff = epoch_payoff * ~move.epoch_end
        if backend.none(move.ended):
            self.cell, self.lifetime_reward, observation = move.cell, lifetime_reward, final
        else:
            goes_on = ~move.ended
            self.steps, self.lifetime_reward = length * goes_on, lifetime_reward * goes_on
            if self._draws:
                self.lifetime = self.lifetime + move.ended
                self.words = lifetime_key(self.key, self.lifetime)
            self.cell = backend.where(move.ended, self._start(), move.cell)
            observation = self._look(self.cell, self._draw(self.steps), DISPLAY)
        return StepResult(
            observation=observation,
            final_observation=final,
            reward=move.reward,
            ended=move.ended,
            stop_epoch=backend.where(move.stopped, epoch, self.dynamics.K),
            epoch=epoch,
            payoff=move.payoff,
            epoch_end=move.epoch_end,
            ignored=move.ignored,
            epoch_payoff=epoch_payoff,
            lifetime_reward=lifetime_reward,
            length=length,
        )

    def see(self) -> Array:
        """What the lifetimes show now, as `step` last returned it."""
        return self._look(self.cell, self._draw(self.steps), DISPLAY)

    def state(self) -> dict[str, Any]:
        """Everything that the lifetimes under way depend on, arrays (n,); not before a reset."""
        return {name: getattr(self, name) for name in STATE}

    def check_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Raise ValueError where this is no `state()` of such a batch, in numpy arrays."""
        for name in STATE:
            kind = np.dtype(float if name in ("epoch_payoff", "lifetime_reward") else np.int64)
            if name not in state:
                raise ValueError(f"{name} is missing")
            if state[name].shape != (self.num_envs,) or state[name].dtype != kind:
                raise ValueError(
                    f"{name} is {state[name].dtype} of the shape {state[name].shape}, expected "
                    f"{kind} of {(self.num_envs,)}"
                )
        for name in state.keys() - set(STATE):
            raise ValueError(f"nothing is expected under the name {name[:80]!r}")
        last = self.dynamics.cells - self.dynamics.S - 1
        if state["cell"].min() < 0 or state["cell"].max() > last:
            raise ValueError(f"cell lies outside 0..{last}")

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from what `state()` gave, on any backend; instead of a reset."""
        for name, value in state.items():
            setattr(self, name, value)
        self.words = lifetime_key(self.key, self.lifetime) if self._draws else None

    def rewards_so_far(self) -> Array:
        """What each present lifetime has earned, (n,)."""
        return self.lifetime_reward

    def masks(self) -> Array:
        """Which actions each env may take now, (n, actions) bool."""
        return self.dynamics.masks(self.cell)

    def _restart(self) -> Array:
        zeros = self.backend.zeros
        self.words = lifetime_key(self.key, self.lifetime) if self._draws else None
        self.steps = zeros(self.num_envs, int)
        self.epoch_payoff = self.lifetime_reward = zeros(self.num_envs, float)
        self.cell = self._start()
        return self._look(self.cell, self._draw(self.steps), DISPLAY)

    def _start(self) -> Array:
        if self._first is not None:
            return self._first
        return self.dynamics.start(draw(self.words, self.backend.zeros(self.num_envs, int), START))

    def _draw(self, steps: Array) -> Draw:
        return lambda stream: draw(self.words, steps, stream)
