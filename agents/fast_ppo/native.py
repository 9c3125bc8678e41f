"""The env that the fast trainer needs, and what it says of credit."""

from typing import Any

from myopia.envs.credit_flags import CreditVecEnv
from myopia.envs.sb3 import WorldVecEnv


def native(env: Any) -> tuple[WorldVecEnv, str]:
    """The native batch in `env`, and the credit mode that it asks for.

    Raises ValueError for any other env.
    """
    credit = "lifetime"
    if isinstance(env, CreditVecEnv):
        env, credit = env.venv, env.credit
    if not isinstance(env, WorldVecEnv):
        raise ValueError(
            "FastPPO trains on the tables of a world, expected the env that make_sb3 returns, "
            f"got {type(env).__name__}: use stable_baselines3.PPO"
        )
    return env, credit
