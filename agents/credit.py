"""Credit modes where advantages are computed: Stable-Baselines3's on-policy algorithms.

On-policy learners see an env whose `dones` are the ends of lifetimes; the epoch boundaries come
from `info["epoch_end"]` and are applied where advantages are computed. So one definition serves
PPO, A2C, MaskablePPO and RecurrentPPO, whose memory goes on across boundaries in every mode.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from sb3_contrib.common.maskable.buffers import MaskableRolloutBuffer
from sb3_contrib.common.recurrent.buffers import RecurrentRolloutBuffer
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from typing_extensions import override

from myopia.envs.credit.credit import Credit


class CreditedBuffer(RolloutBuffer):
    """A rollout buffer whose advantages follow a credit mode.

    Under `window:M` the last M - 1 steps of a rollout wait for the rewards that they are credited
    with: they are learned from one rollout later, with the probabilities that they were taken with.
    """

    STEPWISE: ClassVar[tuple[str, ...]] = (
        *("observations", "actions", "rewards", "episode_starts", "values", "log_probs"),
        "boundaries",
    )
    """What has one row for each step."""
    pending: dict[str, np.ndarray]
    """The steps that wait, `STEPWISE` -> rows; empty where none does."""

    def __init__(self, *sizes: Any, credit: Credit, **settings: Any) -> None:
        """A buffer as SB3 makes it; nothing waits. Raises ValueError where it is too short."""
        self.credit, self.pending = credit, {}
        self.steps: int = sizes[0]
        credit.check_rollout(self.steps)
        super().__init__(*sizes, **settings)

    @override
    def reset(self) -> None:
        self.buffer_size = self.steps
        super().reset()
        self.boundaries = np.zeros_like(self.rewards)

    @override
    def compute_returns_and_advantage(self, last_values: torch.Tensor, dones: np.ndarray) -> None:
        for name, rows in self.pending.items():
            setattr(self, name, np.concatenate([rows, getattr(self, name)]))
        ends = np.concatenate([self.episode_starts[1:], dones[None].astype(np.float32)])
        self.advantages = self.credit.advantages(
            self.rewards,
            self.values,
            last_values.clone().cpu().numpy().flatten(),
            ends,
            self.boundaries,
            self.gamma,
            self.gae_lambda,
        )
        rows = len(self.advantages)
        if self.credit.pending:
            self.pending = {name: getattr(self, name)[rows:].copy() for name in self.STEPWISE}
            for name in self.STEPWISE:
                setattr(self, name, getattr(self, name)[:rows])
            self.buffer_size = rows
        self.returns = self.advantages + self.values


class CreditedMaskableBuffer(CreditedBuffer, MaskableRolloutBuffer):
    """The same with the masks of the actions."""

    STEPWISE = (*CreditedBuffer.STEPWISE, "action_masks")


class CreditedRecurrentBuffer(CreditedBuffer, RecurrentRolloutBuffer):
    """The same with what the networks remember."""

    MEMORIES = ("hidden_states_pi", "cell_states_pi", "hidden_states_vf", "cell_states_vf")
    STEPWISE = (*CreditedBuffer.STEPWISE, *MEMORIES)


class CreditedRollouts:
    """Mixin for SB3's on-policy algorithms; `credit` is the text of a credit mode."""

    buffer_class: ClassVar[type] = CreditedBuffer
    ent_schedule: Callable[[float], float] | None = None
    """From the progress that remains (1 to 0) to the entropy bonus, as SB3's learning rate is."""

    def __init__(self, *arguments: Any, credit: str = "lifetime", **settings: Any) -> None:
        self.credit = credit
        super().__init__(*arguments, **settings)

    @property
    def pending_steps(self) -> dict[str, np.ndarray]:
        """Steps that wait for rewards of the next rollout, by column; empty where none does."""
        return self.rollout_buffer.pending  # type: ignore[attr-defined]

    @pending_steps.setter
    def pending_steps(self, steps: dict[str, np.ndarray]) -> None:
        self.rollout_buffer.pending = steps  # type: ignore[attr-defined]

    def waiting_layout(self) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
        """Column -> shape (of one step) and kind of what `pending_steps` holds."""
        buffer: Any = self.rollout_buffer  # type: ignore[attr-defined]
        columns = {name: getattr(buffer, name) for name in buffer.STEPWISE}
        return {name: (column.shape[1:], column.dtype) for name, column in columns.items()}

    def _setup_model(self) -> None:
        self.rollout_buffer_class = self.buffer_class
        self.rollout_buffer_kwargs = {"credit": Credit.of(self.credit)}
        super()._setup_model()  # type: ignore[misc]

    def _excluded_save_params(self) -> list[str]:
        # SB3 reads the zip with its own buffer
        ours = ["rollout_buffer_class", "rollout_buffer_kwargs"]
        return [*super()._excluded_save_params(), *ours]  # type: ignore[misc]

    def collect_rollouts(
        self,
        env: VecEnv,
        callback: BaseCallback,
        rollout_buffer: Any,
        n_rollout_steps: int,
        *more: Any,
        **named: Any,
    ) -> bool:
        """SB3's own loop, with the epoch boundaries noted beside it."""
        env = _Boundaries(env, rollout_buffer)
        return super().collect_rollouts(  # type: ignore[misc]
            env, callback, rollout_buffer, n_rollout_steps, *more, **named
        )

    def _update_current_progress_remaining(self, num_timesteps: int, total_timesteps: int) -> None:
        super()._update_current_progress_remaining(  # type: ignore[misc]
            num_timesteps, total_timesteps
        )
        if self.ent_schedule is not None:
            self.ent_coef = self.ent_schedule(self._current_progress_remaining)  # type: ignore


class _Boundaries(VecEnvWrapper):
    """Notes in the rollout buffer which steps ended an epoch."""

    def __init__(self, venv: VecEnv, buffer: Any) -> None:
        super().__init__(venv)
        self.buffer = buffer

    @override
    def reset(self) -> Any:
        return self.venv.reset()

    @override
    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        observation, reward, done, infos = self.venv.step_wait()
        self.buffer.boundaries[self.buffer.pos] = [
            "epoch_end" in i and i["epoch_end"] for i in infos
        ]
        return observation, reward, done, infos
