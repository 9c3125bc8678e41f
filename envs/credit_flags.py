"""What a learner is told at an epoch boundary: its credit horizon, set outside the env.

The env goes on at a boundary, whatever the mode; only the flags that reach the learner differ.
"""

import myopia.envs.learning_libraries  # noqa: F401  # isort: skip

from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from myopia.envs.credit.credit import CREDITS, Credit


def with_credit(env: VecEnv, credit: str) -> VecEnv:
    """`env` as a learner with this credit mode sees it; `env` itself for `lifetime`.

    Works on any VecEnv whose infos say `epoch_end`: the native batch, and a DummyVecEnv or
    SubprocVecEnv of EpochWrapper envs. Raises ValueError naming the nearest mode, and for one that
    no flag can tell.
    """
    mode = Credit.of(credit)
    if mode.flag is None:
        told = [name for name, one in CREDITS.items() if name == one.form]
        raise ValueError(
            f"credit {credit!r} is applied by an on-policy learner, who credits the steps of a "
            f"rollout: expected myopia train --credit {credit} --algo ppo, or one of "
            + ", ".join(told)
        )
    return env if mode.flag == "none" else CreditVecEnv(env, credit)


class CreditVecEnv(VecEnvWrapper):
    """Marks epoch boundaries as done, truncated (`bootstrap`) or terminated (`epoch`).

    The env is not reset there: the observation is the next epoch's first, and it is the
    `terminal_observation` too. `info["episode"]` still comes at the end of a lifetime only.
    """

    def __init__(self, venv: VecEnv, credit: str) -> None:
        super().__init__(venv)
        self.credit, self._truncates = credit, Credit.of(credit).flag == "truncated"

    def reset(self) -> Any:
        """First observations of lifetimes."""
        return self.venv.reset()

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """The step, with boundaries marked."""
        observation, reward, done, infos = self.venv.step_wait()
        done = np.array(done)
        for env, info in enumerate(infos):
            if info.get("epoch_end") and not done[env]:
                done[env] = True
                info["terminal_observation"] = _row(observation, env)
                info["TimeLimit.truncated"] = self._truncates
        return observation, reward, done, infos


def _row(observation: Any, env: int) -> Any:
    if isinstance(observation, dict):
        return {key: value[env].copy() for key, value in observation.items()}
    return observation[env].copy()
