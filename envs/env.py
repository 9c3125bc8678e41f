"""A world as a Gymnasium `Env`: one lifetime from `reset` to shutdown or the last epoch."""

import operator
from typing import Any

import gymnasium
import numpy as np

from myopia.common import specs
from myopia.common.errors import check_choice
from myopia.envs.backend import SCALAR
from myopia.envs.dynamics import dynamics_of
from myopia.envs.episode_info import EpisodeInfo
from myopia.envs.observer import observation_space, observer_of
from myopia.envs.randomness import (
    BOUNDARY,
    DISPLAY,
    START,
    STEP,
    draw,
    draw_key,
    lifetime_key,
)
from myopia.envs.registry import make_world
from myopia.envs.task import Task
from myopia.envs.world import World


class EpochEnv(gymnasium.Env):
    """`gym.make("myopia.envs:myopia/Investment-v0", gain=0.5, index="hidden", ...)`.

    Observation: (D,) float32, features then step (one-hot) then index. Action: the task's, then
    shutdown, unless `shutdown="absent"`. `info` of a step: `epoch` (in which the action was taken),
    `payoff`, `epoch_end`; where an epoch ended `epoch_payoff`; where the lifetime ended
    `stop_epoch` (K if never stopped); `shutdown_ignored` where it was. With `episode_info=True`
    also `episode` (`r`, `l`) where the lifetime ended, as `RecordEpisodeStatistics` would add it.

    A `reset(seed=...)` draws a new key for this env's stream of lifetimes; a bare `reset()` goes
    on to the stream's next lifetime, as a batch does by itself.
    """

    metadata = {"render_modes": ["rgb_array", "ansi"], "render_fps": 4}  # noqa: RUF012

    def __init__(
        self,
        world: str | type[Task] | World,
        render_mode: str | None = None,
        episode_info: bool = False,
        **dials: Any,
    ) -> None:
        if render_mode is not None:
            check_choice("render_mode", render_mode, self.metadata["render_modes"])
        self.world = world if isinstance(world, World) else make_world(world, **dials)
        self.render_mode = render_mode
        self.episode_info = specs.convert(episode_info, bool, "episode_info")
        self.dynamics = dynamics_of(self.world, SCALAR)
        self.observer = observer_of(self.world, SCALAR)
        self.observation_space = observation_space(self.world)
        self.action_space = gymnasium.spaces.Discrete(len(self.world.actions))
        self._key: int | None = None
        self._cell: int | None = None
        self._ended = True
        self._last: tuple[str, float] | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin a lifetime."""
        super().reset(seed=seed)
        if seed is not None or self._key is None:
            self._key, self._lifetime = draw_key(self.np_random), -1
        self._lifetime += 1
        self._words = lifetime_key(self._key, self._lifetime)
        self._steps = 0
        self._episode_info = EpisodeInfo(self.world.max_epochs, self.episode_info)
        self._cell = self.dynamics.start(self._draw(START))
        self._ended, self._last = False, None
        return self.observer.observe(self._cell, self._draw, DISPLAY).copy(), {"epoch": 0}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Take one action; `truncated` is never set, the last epoch's end is `terminated`."""
        if self._ended:
            raise gymnasium.error.ResetNeeded(
                "this lifetime is over (or has not begun): call reset() before step()"
            )
        try:
            action = operator.index(action)
        except TypeError:
            raise self._bad_action(action) from None
        if not 0 <= action < len(self.world.actions):
            raise self._bad_action(action)
        before: int = self._cell  # type: ignore[assignment]
        move = self.dynamics.advance(before, action, self._draw, (STEP, BOUNDARY))
        cell, reward, payoff, stopped, ended, epoch_end, ignored = move
        self._cell, self._ended = cell, ended
        self._steps += 1
        info = self._episode_info.record(
            self.dynamics.epoch_of(before),
            payoff,
            reward,
            epoch_end=epoch_end,
            ended=ended,
            stopped=stopped,
            ignored=ignored,
        )
        if self.render_mode is not None:
            self._last = self.world.actions[action], reward
        observation = self.observer.observe(cell, self._draw, DISPLAY)
        return observation.copy(), reward, ended, False, info

    def action_masks(self) -> np.ndarray:
        """Which actions are allowed now, (actions,) bool; only shutdown ever is not."""
        if self._cell is None or self._ended:
            return np.ones(len(self.world.actions), dtype=bool)
        return np.array(self.dynamics.masks(self._cell))

    def render(self) -> Any:
        """The state, the epoch, the weight and what was done, as text or (H, W, 3) uint8."""
        if self.render_mode is None:
            raise ValueError("render() needs render_mode='rgb_array' or 'ansi' at gym.make")
        if self._cell is None:
            raise gymnasium.error.ResetNeeded("call reset() before render()")
        from myopia.envs import drawing

        frame = drawing.Frame(
            world=self.world,
            cell=self._cell,
            stopped=self._ended and self._cell < self.dynamics.cells - self.dynamics.S,
            last=self._last,
            lifetime_reward=self._episode_info.lifetime_reward,
        )
        return frame.text() if self.render_mode == "ansi" else frame.image()

    def _bad_action(self, action: Any) -> ValueError:
        return ValueError(
            f"action must be an integer in 0..{len(self.world.actions) - 1} "
            f"({', '.join(self.world.actions)}), got {action!r}"
        )

    def _draw(self, stream: int) -> int:
        return draw(self._words, self._steps, stream)
