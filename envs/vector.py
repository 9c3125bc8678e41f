"""A world as a Gymnasium `VectorEnv`: a batch on arrays, with same-step autoreset."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from myopia.common import specs
from myopia.envs.batch import StepResult
from myopia.envs.lookup import make_batch
from myopia.envs.observer import observation_space
from myopia.envs.randomness import draw_key
from myopia.envs.registry import make_world
from myopia.envs.task import Task
from myopia.envs.world import World


class EpochVectorEnv(VectorEnv):
    """`gym.make_vec(id, num_envs, vectorization_mode="vector_entry_point", **dials)`.

    Infos are arrays (num_envs,) under the names of `EpochEnv`, those of the step taken; `_name`
    marks the envs for which an entry that is not always there holds. Where a lifetime ended
    (`_final_obs`), the observation is the next lifetime's first and `final_obs` the last one.
    """

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP, "render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        world: str | type[Task] | World,
        num_envs: int = 1,
        render_mode: str | None = None,
        **dials: Any,
    ) -> None:
        if render_mode is not None:
            raise ValueError(f"a batch is not rendered, expected render_mode=None: {render_mode!r}")
        self.world = world if isinstance(world, World) else make_world(world, **dials)
        self.batch = make_batch(self.world, num_envs)
        self.num_envs = num_envs
        self.render_mode = None
        self.single_observation_space = observation_space(self.world)
        self.single_action_space = gymnasium.spaces.Discrete(len(self.world.actions))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin lifetimes; env i of a batch seeded s equals a single env seeded s + i."""
        if options is not None and "reset_mask" in options:
            raise ValueError(
                "each env of a batch begins anew as its lifetime ends: expected no reset_mask"
            )
        keys = None if seed is None else keys_from(seed, self.num_envs)
        super().reset(seed=int(seed) if isinstance(seed, int | np.integer) else None)
        if keys is None and self.batch.cell is not None:
            observation = self.batch.restart()
        else:
            if keys is None:
                keys = [draw_key(self.np_random) for _ in range(self.num_envs)]
            observation = self.batch.reset(np.array(keys, dtype=np.int64))
        return observation, {"epoch": np.zeros(self.num_envs, dtype=np.int64)}

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take one action in every env, (num_envs,) ints."""
        if self.batch.cell is None:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        step = self.batch.step(check_actions(actions, self.num_envs, self.world))
        truncated = np.zeros(self.num_envs, dtype=bool)
        return step.observation, step.reward, step.ended, truncated, self._infos(step)

    def action_masks(self) -> np.ndarray:
        """Which actions are allowed now, (num_envs, actions) bool."""
        return self.batch.masks()

    def _infos(self, step: StepResult) -> dict[str, Any]:
        infos: dict[str, Any] = {
            "epoch": step.epoch,
            "payoff": step.payoff,
            "epoch_end": step.epoch_end,
            "epoch_payoff": step.epoch_payoff,
            "_epoch_payoff": step.epoch_end,
        }
        if self.world.shutdown != "anytime" and step.ignored.any():
            infos["shutdown_ignored"] = infos["_shutdown_ignored"] = step.ignored
        if step.observation is not step.final_observation:  # some lifetime ended
            ended = step.ended
            lifetime = {
                "stop_epoch": step.stop_epoch,
                "_stop_epoch": ended,
                "episode": {
                    "r": step.lifetime_reward,
                    "_r": ended,
                    "l": step.length,
                    "_l": ended,
                },
                "_episode": ended,
            }
            infos |= {"final_info": infos | lifetime, "_final_info": ended} | lifetime
            infos |= {"final_obs": step.final_observation, "_final_obs": ended}
        return infos


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
