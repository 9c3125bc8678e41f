"""Context swapping: learners exchange worlds at every epoch boundary (arXiv 2009.09153, sec. 5).

What a learner does for later epochs then pays somebody else. It leaves what is learned within an
epoch alone, and takes away what selection between learners could favour.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices
from typing_extensions import override

from myopia.agents.population.lockstep import Lockstep
from myopia.envs import World, make_sb3


class SharedWorlds:
    """`learners` x `num_envs` lifetimes of one world, stepped together; `view(i)` is i's VecEnv.

    Where the lifetimes of several learners are at an epoch boundary in the same step, env by env,
    each of these learners goes on in the world of the next one of them. A lifetime that ends takes
    no part, and one that comes to a boundary alone stays.
    """

    def __init__(
        self, world: World, learners: int, num_envs: int, seed: int, lockstep: Lockstep
    ) -> None:
        self.learners, self.num_envs, self.lockstep = learners, num_envs, lockstep
        self.env: Any = make_sb3(world, learners * num_envs, seed=seed)
        self.holds = np.arange(learners * num_envs).reshape(learners, num_envs)
        self.actions = np.zeros((learners, num_envs), dtype=np.int64)
        self.observation: Any = None
        self._due = 0  # learners that have not read the present step

    def view(self, learner: int) -> "SharedView":
        """The VecEnv of one learner."""
        return SharedView(self, learner)

    def reset(self) -> np.ndarray:
        """First observations (learners * num_envs, D), once for all."""
        if self.observation is None:
            self.observation = self.env.reset()
        return self.observation

    def step(self, learner: int) -> Any:
        """The step of one learner; the first who asks takes it for all."""
        if self._due == 0:
            actions = np.empty(self.holds.size, dtype=np.int64)
            actions[self.holds] = self.actions
            self.observation, self.reward, self.done, self.infos = self.env.step(actions)
            self.held = self.holds
            self.holds = self._exchanged()
            self._due = self.learners
        self._due -= 1
        held, now = self.held[learner], self.holds[learner]
        infos = [self.infos[index] for index in held]
        return self.observation[now], self.reward[held], self.done[held], infos

    def state(self) -> dict[str, np.ndarray]:
        """Everything that changes, where every learner has read the present step."""
        return {"holds": self.holds, **self.env.batch.state()}

    def check_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Raise ValueError where this is no `state()` of such worlds."""
        rest = dict(state)
        holds = rest.pop("holds", None)
        if holds is None or holds.shape != self.holds.shape or holds.dtype != self.holds.dtype:
            raise ValueError(f"holds is none of {self.holds.shape} integers")
        if not np.array_equal(np.sort(holds, axis=None), np.arange(holds.size)):
            raise ValueError("holds gives some world to nobody")
        self.env.batch.check_state(rest)

    def resume(self, state: dict[str, np.ndarray]) -> None:
        """Go on from what `state` gave."""
        rest = dict(state)
        self.holds = rest.pop("holds")
        self.env.batch.resume(rest)

    def _exchanged(self) -> np.ndarray:
        boundary = np.array([bool(info.get("epoch_end")) for info in self.infos]) & ~self.done
        holds = self.holds.copy()
        for env in range(self.num_envs):
            there = np.flatnonzero(boundary[self.holds[:, env]])
            holds[there, env] = self.holds[np.roll(there, -1), env]
        return holds


class SharedView(VecEnv):
    """One learner's part of `SharedWorlds`; its `step` waits until every learner has acted."""

    def __init__(self, shared: SharedWorlds, learner: int) -> None:
        self.shared, self.learner = shared, learner
        self.render_mode = None
        super().__init__(shared.num_envs, shared.env.observation_space, shared.env.action_space)

    @property
    def batch(self) -> SharedWorlds:
        """What a checkpoint keeps of this env."""
        return self.shared

    def reset(self) -> np.ndarray:
        """First observations."""
        return self.shared.reset()[self.shared.holds[self.learner]]

    def step_async(self, actions: np.ndarray) -> None:
        """Hand in the actions."""
        self.shared.actions[self.learner] = actions

    def step_wait(self) -> Any:
        """Observations of the worlds held now; rewards, dones, infos of those held before."""
        self.shared.lockstep.wait()
        return self.shared.step(self.learner)

    def seed(self, seed: int | None = None) -> list[None]:
        """The shared worlds are seeded once, by who made them."""
        return [None] * self.num_envs

    def close(self) -> None:
        """Nothing is held open."""

    @override
    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        return self.shared.env.get_attr(attr_name, self._mine(indices))

    @override
    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        self.shared.env.set_attr(attr_name, value, self._mine(indices))

    @override
    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: VecEnvIndices = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        mine = self._mine(indices)
        return self.shared.env.env_method(method_name, *method_args, indices=mine, **method_kwargs)

    @override
    def env_is_wrapped(self, wrapper_class: type, indices: VecEnvIndices = None) -> list[bool]:
        return self.shared.env.env_is_wrapped(wrapper_class, self._mine(indices))

    def _mine(self, indices: VecEnvIndices) -> list[int]:
        return list(self.shared.holds[self.learner][list(self._get_indices(indices))])
