"""A world as a Stable-Baselines3 `VecEnv`, with the credit that its learner is told about."""

import myopia.envs.learning_libraries  # noqa: F401  # isort: skip

from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices

from myopia.common import specs
from myopia.common.search_path import safe_imports
from myopia.envs.credit_flags import with_credit
from myopia.envs.lookup import make_batch
from myopia.envs.observer import observation_space
from myopia.envs.randomness import draw_key
from myopia.envs.registry import make_world
from myopia.envs.task import Task
from myopia.envs.vector import check_actions, keys_from
from myopia.envs.world import World


@safe_imports()
def make_sb3(
    world: str | type[Task] | World,
    num_envs: int,
    credit: str = "lifetime",
    seed: int | None = None,
    render_mode: str | None = None,
    **dials: Any,
) -> VecEnv:
    """A world, by id or short name, as one native VecEnv of `num_envs` lifetimes.

    `credit` is what the learner is told at an epoch boundary: lifetime, bootstrap or epoch.
    Raises ValueError naming the nearest valid world, dial or credit mode.
    """
    settings = world if isinstance(world, World) else make_world(world, **dials)
    env = WorldVecEnv(settings, num_envs, render_mode)
    if seed is not None:
        env.seed(specs.convert(seed, int, "seed"))
    return with_credit(env, credit)


class WorldVecEnv(VecEnv):
    """A batch of one world. Infos are empty except where a lifetime or epoch ends.

    Or where a shutdown was ignored. Rewards are float32; `dones` are lifetimes. `Monitor` is said
    to be there, because `info["episode"]` is, so that SB3's `evaluate_policy` counts lifetimes.
    """

    def __init__(self, world: World, num_envs: int, render_mode: str | None = None) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode of a batch: expected rgb_array, got {render_mode!r}")
        self.world, self.batch = world, make_batch(world, num_envs)
        self.render_mode = render_mode
        self._generator = np.random.default_rng()
        self._actions: np.ndarray | None = None
        super().__init__(num_envs, observation_space(world), Discrete(len(world.actions)))

    def reset(self) -> np.ndarray:
        """First observations; after `seed(s)`, env i is the single env seeded s + i."""
        if any(seed is not None for seed in self._seeds):
            keys = keys_from(self._seeds, self.num_envs)
            observation = self.batch.reset(np.array(keys, dtype=np.int64))
        elif self.batch.cell is None:
            keys = [draw_key(self._generator) for _ in range(self.num_envs)]
            observation = self.batch.reset(np.array(keys, dtype=np.int64))
        else:
            observation = self.batch.restart()
        self.reset_infos = [{"epoch": 0} for _ in range(self.num_envs)]
        self._reset_seeds()
        self._reset_options()
        return observation

    def step_async(self, actions: np.ndarray) -> None:
        """Remember the actions for `step_wait`."""
        if self.batch.cell is None:
            raise ValueError("call reset() before step()")
        # a copy: the caller may write into its own before the step is taken
        self._actions = check_actions(np.array(actions), self.num_envs, self.world)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Observations, rewards, dones and infos of the step."""
        if self._actions is None:
            raise ValueError("call step_async() before step_wait()")
        step, self._actions = self.batch.step(self._actions), None
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for env in np.flatnonzero(step.epoch_end):
            infos[env] |= {
                "epoch": int(step.epoch[env]),
                "epoch_end": True,
                "epoch_payoff": float(step.epoch_payoff[env]),
            }
        for env in np.flatnonzero(step.ended):
            infos[env] |= {
                "stop_epoch": int(step.stop_epoch[env]),
                "episode": {"r": float(step.lifetime_reward[env]), "l": int(step.length[env])},
                "terminal_observation": step.final_observation[env].copy(),
                "TimeLimit.truncated": False,
            }
        if self.world.shutdown != "anytime":
            for env in np.flatnonzero(step.ignored):
                infos[env] |= {"epoch": int(step.epoch[env]), "shutdown_ignored": True}
        return step.observation, step.reward.astype(np.float32), np.array(step.ended), infos

    def get_images(self) -> list[np.ndarray]:
        """One frame of each env, (H, W, 3) uint8; needs `render_mode="rgb_array"`."""
        if self.render_mode is None or self.batch.cell is None:
            raise ValueError("images need render_mode='rgb_array', and a reset before them")
        from myopia.envs.drawing import frames

        return frames(self.batch)

    def close(self) -> None:
        """Nothing is held open."""

    def action_masks(self) -> np.ndarray:
        """Which actions are allowed now, (num_envs, actions) bool."""
        if self.batch.cell is None:
            return np.ones((self.num_envs, len(self.world.actions)), dtype=bool)
        return self.batch.masks()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The attribute, once for each env; raises AttributeError where there is none."""
        return [getattr(self, attr_name)] * len(self._chosen(indices))

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set an attribute of the batch: there is one for all envs. Raises ValueError for some."""
        if len(self._chosen(indices)) < self.num_envs:
            raise ValueError(f"{attr_name} is one for all envs of a batch, expected no indices")
        setattr(self, attr_name, value)

    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: VecEnvIndices = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        """`action_masks` of each env; nothing else can be called on one env of a batch."""
        if method_name != "action_masks":
            raise AttributeError(f"a native batch answers 'action_masks' only, not {method_name!r}")
        return list(self.action_masks()[self._chosen(indices)])

    def _chosen(self, indices: VecEnvIndices) -> list[int]:
        chosen = [int(index) for index in self._get_indices(indices)]
        for index in chosen:
            if not -self.num_envs <= index < self.num_envs:
                raise ValueError(f"indices must lie in 0..{self.num_envs - 1}, got {index}")
        return chosen

    def env_is_wrapped(self, wrapper_class: type, indices: VecEnvIndices = None) -> list[bool]:
        """True for `Monitor`, whose statistics are here, and for nothing else."""
        is_monitor = isinstance(wrapper_class, type) and issubclass(wrapper_class, Monitor)
        return [is_monitor] * len(list(self._get_indices(indices)))
