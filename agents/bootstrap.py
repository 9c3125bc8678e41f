"""SB3 on-policy algorithms, with the value of truncated observations computed in one batch.

SB3 runs one forward pass for every env whose episode was truncated. With credit `bootstrap` every
env is truncated at every epoch boundary, and those passes would take most of the time.
"""

from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper


class BatchedBootstrap:
    """Mixin for SB3's OnPolicyAlgorithm: the same rewards, one forward pass a step."""

    def collect_rollouts(
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: Any, n_rollout_steps: int
    ) -> bool:
        """SB3's own loop, on an env that has added the bootstrap values already."""
        env = _Bootstrapped(env, self)
        return super().collect_rollouts(env, callback, rollout_buffer, n_rollout_steps)  # type: ignore[misc]


class BatchedPPO(BatchedBootstrap, PPO):
    """PPO."""


class _Bootstrapped(VecEnvWrapper):
    def __init__(self, venv: VecEnv, algorithm: Any) -> None:
        super().__init__(venv)
        self.algorithm = algorithm

    def reset(self) -> Any:
        return self.venv.reset()

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        observation, reward, done, infos = self.venv.step_wait()
        envs = [env for env in np.flatnonzero(done) if infos[env].get("TimeLimit.truncated")]
        if envs:
            final = [infos[env]["terminal_observation"] for env in envs]
            reward = np.array(reward)
            reward[envs] += self.algorithm.gamma * self._values(final)
            for env in envs:
                # what is added already must not be added again by SB3's own loop
                infos[env] = {**infos[env], "TimeLimit.truncated": False}
        return observation, reward, done, infos

    def _values(self, observations: list[Any]) -> np.ndarray:
        if isinstance(observations[0], dict):
            batch = {key: np.stack([o[key] for o in observations]) for key in observations[0]}
        else:
            batch = np.stack(observations)
        policy = self.algorithm.policy
        with torch.no_grad():
            return policy.predict_values(policy.obs_to_tensor(batch)[0]).flatten().cpu().numpy()
