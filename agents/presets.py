"""The settings with which each algorithm learns the worlds that ship."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class PPOPreset:
    """SB3's PPO. Discount 1 within and across epochs: the credit mode sets the horizon."""

    total_timesteps: int = 400_000
    num_envs: int = 64
    n_steps: int = 64
    batch_size: int = 512
    n_epochs: int = 4
    learning_rate: float = 2e-3
    anneal: bool = True  # the learning rate falls linearly to 0
    gamma: float = 1.0
    gae_lambda: float = 0.95
    ent_coef: float = 0.01
    clip_range: float = 0.2
    hidden: tuple[int, ...] = (64, 64)


PRESETS = {"ppo": PPOPreset()}
"""Algorithm -> its settings."""
