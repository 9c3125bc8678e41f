"""A world as a Gymnasium `VectorEnv`: a batch on arrays, in every autoreset mode."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from myopia.common import specs
from myopia.common.errors import check_choice
from myopia.envs.batch import StepResult
from myopia.envs.lookup import make_batch
from myopia.envs.observer import observation_space
from myopia.envs.randomness import draw_key
from myopia.envs.registry import make_world
from myopia.envs.task import Task
from myopia.envs.world import UnknownDialError, World


class EpochVectorEnv(VectorEnv):
    """`gym.make_vec(id, num_envs, vectorization_mode="vector_entry_point", **dials)`.

    Infos are arrays (num_envs,) under the names of `EpochEnv`, those of the step taken; `_name`
    marks the envs for which an entry that is not always there holds.

    `autoreset_mode`, as Gymnasium has it, by value or by name: with `SAME_STEP` the observation
    where a lifetime ended is the next one's first, and `final_obs` the last one (`_final_obs`
    marks them); with `NEXT_STEP` the next step begins the next lifetime there, whatever the
    action, with reward 0; with `DISABLED` it begins at `reset(options={"reset_mask": mask})`.
    The lifetimes are the same. With `episode_info` the info has `episode` where one ended.

    Raises ValueError for an unknown mode.
    """

    metadata = {  # noqa: RUF012
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": ["rgb_array"],
        "render_fps": 4,
    }

    def __init__(
        self,
        world: str | type[Task] | World,
        num_envs: int = 1,
        render_mode: str | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.SAME_STEP,
        episode_info: bool = True,
        **dials: Any,
    ) -> None:
        if render_mode is not None:
            check_choice("render_mode", render_mode, self.metadata["render_modes"])
        if "max_episode_steps" in dials:
            raise UnknownDialError(
                "max_episode_steps: a lifetime of a batch ends after max_epochs * epoch_length "
                "steps, expected these dials, or vectorization_mode='sync' around "
                "gymnasium.wrappers.TimeLimit"
            )
        self.world = world if isinstance(world, World) else make_world(world, **dials)
        self.batch = make_batch(self.world, num_envs)
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.autoreset_mode = _mode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self.episode_info = specs.convert(episode_info, bool, "episode_info")
        self.single_observation_space = observation_space(self.world)
        self.single_action_space = gymnasium.spaces.Discrete(len(self.world.actions))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        # which lifetimes are over while the next one has not been shown, and their last rows
        self._over = np.zeros(num_envs, dtype=bool)
        self._final = np.zeros((num_envs, 1), dtype=np.float32)

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin lifetimes; env i of a batch seeded s equals a single env seeded s + i.

        `options={"reset_mask": mask}`, (num_envs,) bool, begins those of the marked envs only.
        Raises ValueError for a mask that is none, or before all have begun.
        """
        mask = _reset_mask(options, self.num_envs)
        if mask is not None and self.batch.cell is None:
            raise ValueError("the first reset is one of every env, expected no reset_mask")
        keys = None if seed is None else keys_from(seed, self.num_envs)
        super().reset(seed=int(seed) if isinstance(seed, int | np.integer) else None)
        before = None if self.batch.cell is None else self.batch.state()
        if keys is None and before is not None:
            self.batch.restart()
        else:
            if keys is None:
                keys = [draw_key(self.np_random) for _ in range(self.num_envs)]
            self.batch.reset(np.array(keys, dtype=np.int64))
        marked = np.ones(self.num_envs, dtype=bool) if mask is None else mask
        # a lifetime that has begun without being shown is the next one already
        self._keep(before, ~marked | self._over if seed is None else ~marked)
        over = self._over & ~marked
        observation = self.batch.see()
        if over.any():
            observation = np.where(over[:, None], self._final, observation)
        self._over = over
        infos: dict[str, Any] = {"epoch": np.zeros(self.num_envs, dtype=np.int64)}
        return observation, infos if mask is None else infos | {"_epoch": mask}

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take one action in every env, (num_envs,) ints."""
        if self.batch.cell is None:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        actions, over = check_actions(actions, self.num_envs, self.world), self._over
        if not over.any():
            step = self.batch.step(actions)
        elif self.autoreset_mode is AutoresetMode.NEXT_STEP:
            before, first = self.batch.state(), self.batch.see()
            step = self.batch.step(actions)
            self._keep(before, over)
            step = _not_taken(step, over, first)
        else:
            raise gymnasium.error.ResetNeeded(
                f"the lifetime of env {int(over.argmax())} is over: call "
                'reset(options={"reset_mask": mask}) before step()'
            )
        observation = step.observation
        if self.autoreset_mode is not AutoresetMode.SAME_STEP:
            self._over, self._final = np.array(step.ended), step.final_observation
            observation = step.final_observation
        truncated = np.zeros(self.num_envs, dtype=bool)
        return observation, step.reward, step.ended, truncated, self._infos(step)

    def render(self) -> tuple[np.ndarray, ...]:
        """A frame (H, W, 3) uint8 of each env; needs `render_mode="rgb_array"`."""
        if self.render_mode is None:
            raise ValueError("render() needs render_mode='rgb_array' at gym.make_vec")
        if self.batch.cell is None:
            raise gymnasium.error.ResetNeeded("call reset() before render()")
        from myopia.envs.drawing import frames

        return tuple(frames(self.batch))

    def action_masks(self) -> np.ndarray:
        """Which actions are allowed now, (num_envs, actions) bool."""
        return self.batch.masks()

    def _infos(self, step: StepResult) -> dict[str, Any]:
        infos: dict[str, Any] = {
            "epoch": step.epoch.astype(np.int64),
            "payoff": step.payoff,
            "epoch_end": step.epoch_end,
            "epoch_payoff": step.epoch_payoff,
            "_epoch_payoff": step.epoch_end,
        }
        if self.world.shutdown != "anytime" and step.ignored.any():
            infos["shutdown_ignored"] = infos["_shutdown_ignored"] = step.ignored
        ended = step.ended
        if not ended.any():
            return infos
        infos |= {"stop_epoch": step.stop_epoch.astype(np.int64), "_stop_epoch": ended}
        if self.episode_info:
            reward, length = step.lifetime_reward, step.length.astype(np.int64)
            infos["episode"] = {"r": reward, "_r": ended, "l": length, "_l": ended}
            infos["_episode"] = ended
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            infos |= {"final_info": dict(infos), "_final_info": ended}
            infos |= {"final_obs": step.final_observation, "_final_obs": ended}
        return infos

    def _keep(self, before: dict[str, np.ndarray] | None, mask: np.ndarray) -> None:
        """Put the marked lifetimes back to where they were."""
        if before is not None and mask.any():
            now = self.batch.state()
            self.batch.resume({k: np.where(mask, before[k], now[k]) for k in now})


def _not_taken(step: StepResult, mask: np.ndarray, first: np.ndarray) -> StepResult:
    """`step` where the marked envs begin a lifetime, whose first observation is `first`."""
    rows = mask[:, None]
    fields = {name: np.where(mask, np.zeros_like(x), x) for name, x in step._asdict().items()
              if x.ndim == 1}  # fmt: skip
    return StepResult(
        observation=np.where(rows, first, step.observation),
        final_observation=np.where(rows, first, step.final_observation),
        **fields,
    )


def _mode(mode: Any) -> AutoresetMode:
    if isinstance(mode, AutoresetMode):
        return mode
    by_name = {one.name: one for one in AutoresetMode} | {one.value: one for one in AutoresetMode}
    return by_name[check_choice("autoreset_mode", mode, tuple(by_name))]


def _reset_mask(options: dict[str, Any] | None, num_envs: int) -> np.ndarray | None:
    """The envs to reset, or None for all. Raises ValueError where it is no such mask."""
    if options is None or "reset_mask" not in options:
        return None
    mask = np.asarray(options["reset_mask"])
    if mask.shape != (num_envs,) or mask.dtype != bool or not mask.any():
        raise ValueError(
            f"reset_mask: expected {num_envs} booleans of which one is True, got {mask.dtype} of "
            f"the shape {mask.shape}" + ("" if mask.dtype != bool or mask.any() else ", none True")
        )
    return mask


def keys_from(seed: Any, num_envs: int) -> list[int]:
    """The keys that single envs seeded seed, seed + 1, ... draw at reset; or one seed each."""
    if isinstance(seed, int | np.integer):
        seed = [int(seed) + i for i in range(num_envs)]
    if isinstance(seed, str) or not isinstance(seed, Sequence | np.ndarray):
        raise ValueError(f"expected one seed or {num_envs} of them, got {seed!r}")
    if len(seed) != num_envs:
        raise ValueError(f"expected one seed or {num_envs} of them, got {len(seed)}")
    seeds = [None if one is None else specs.convert(one, int, "seed") for one in seed]
    if any(one is not None and one < 0 for one in seeds):
        raise ValueError(f"seeds must be at least 0, got {min(s for s in seeds if s is not None)}")
    return [draw_key(np_random(one)[0]) for one in seeds]


def check_actions(actions: Any, num_envs: int, world: World) -> np.ndarray:
    """`actions` as ints of shape (num_envs,), or the error that names the first bad one."""
    actions, count = np.asarray(actions), len(world.actions)
    # one pass: read as unsigned, what is negative is too large
    if (
        actions.shape == (num_envs,)
        and actions.dtype == np.int64
        and actions.view(np.uint64).max() < count
    ):
        return actions
    if actions.shape != (num_envs,) or actions.dtype.kind not in "iu":
        raise ValueError(
            f"actions must be integers of shape ({num_envs},), "
            f"got {actions.dtype} of shape {actions.shape}"
        )
    if actions.min() < 0 or actions.max() >= count:
        env = int(np.flatnonzero((actions < 0) | (actions >= count))[0])
        raise ValueError(
            f"action of env {env} must lie in 0..{count - 1} ({', '.join(world.actions)}), "
            f"got {actions[env]}"
        )
    return actions
