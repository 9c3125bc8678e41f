"""Credit modes on the learner's side: which rewards the advantage of a step may count.

On-policy learners see an env whose `dones` are the ends of lifetimes; the epoch boundaries come
from `info["epoch_end"]` and are applied where advantages are computed. So one definition serves
PPO, A2C, MaskablePPO and RecurrentPPO, whose memory goes on across boundaries in every mode.
"""

import dataclasses
from typing import Any

import numpy as np
import torch
from sb3_contrib.common.maskable.buffers import MaskableRolloutBuffer
from sb3_contrib.common.recurrent.buffers import RecurrentRolloutBuffer
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from myopia.common.errors import unknown_name_error
from myopia.envs.credit_flags import CREDITS

MODES = {**CREDITS, "window:M": "M rewards, from this step on, across boundaries; no bootstrap"}
"""Credit mode -> what a boundary is to the learner."""


@dataclasses.dataclass(frozen=True)
class Credit:
    """A credit mode: `kind` lifetime, bootstrap, epoch, or window with its number of steps."""

    kind: str
    steps: int = 0

    @staticmethod
    def of(text: str) -> "Credit":
        """Read `lifetime`, `bootstrap`, `epoch` or `window:M`; ValueError names the nearest."""
        kind, _, steps = text.partition(":")
        if kind == "window":
            if not (steps.isdecimal() and int(steps) >= 1):
                raise ValueError(f"credit {text!r}: expected window:M with M at least 1")
            return Credit(kind, int(steps))
        if text not in CREDITS:
            raise unknown_name_error("credit mode", text, MODES)
        return Credit(text)

    def __str__(self) -> str:
        return f"{self.kind}:{self.steps}" if self.kind == "window" else self.kind


def advantages(
    rewards: Any,
    values: Any,
    last_values: Any,
    ends: Any,
    boundaries: Any,
    gamma: float,
    gae_lambda: float,
    credit: Credit,
) -> Any:
    """Advantages (steps, envs) of a rollout: generalised advantage estimation under `credit`.

    Arrays are numpy or torch. `ends[t]` is 1 where step t ended a lifetime, `boundaries[t]` where
    it ended an epoch; `last_values` (envs,) are those of the observations after the last step.
    GAE as in arXiv 1506.02438, eq. 16; for `window:M` the sum of the next M rewards, discounted,
    within the lifetime, minus the value, for all steps but the last M - 1 of the rollout.
    """
    if credit.kind == "window":
        rows = len(rewards) - credit.steps + 1
        total, alive = 0.0, 1.0
        for ahead in range(credit.steps):
            window = slice(ahead, ahead + rows)
            total = total + alive * gamma**ahead * rewards[window]
            alive = alive * (1 - ends[window])
        return total - values[:rows]
    closed = 1 - (1 - ends) * (1 - boundaries)
    cut = ends if credit.kind == "lifetime" else closed
    worthless = closed if credit.kind == "epoch" else ends
    result, trace, following = values * 0, 0.0, last_values
    for step in reversed(range(len(rewards))):
        delta = rewards[step] + gamma * following * (1 - worthless[step]) - values[step]
        trace = delta + gamma * gae_lambda * (1 - cut[step]) * trace
        result[step] = trace
        following = values[step]
    return result


class CreditedRollouts:
    """Mixin for SB3's on-policy algorithms; `credit` is the text of a credit mode.

    `ent_schedule`, where set, is a function of the progress that remains (1 to 0), as SB3's
    learning rate is.
    """

    ent_schedule: Any = None

    def __init__(self, *arguments: Any, credit: str = "lifetime", **settings: Any) -> None:
        self.credit = credit
        super().__init__(*arguments, **settings)

    def _setup_model(self) -> None:
        super()._setup_model()  # type: ignore[misc]
        buffer: Any = self.rollout_buffer  # type: ignore[has-type]
        buffer.__class__ = BUFFERS[type(buffer)]
        buffer.begin(Credit.of(self.credit))

    def collect_rollouts(
        self,
        env: VecEnv,
        callback: BaseCallback,
        rollout_buffer: Any,
        n_rollout_steps: int,
        *masking: bool,
    ) -> bool:
        """SB3's own loop, with the epoch boundaries noted beside it."""
        env = _Boundaries(env, rollout_buffer)
        return super().collect_rollouts(  # type: ignore[misc]
            env, callback, rollout_buffer, n_rollout_steps, *masking
        )

    def _update_current_progress_remaining(self, num_timesteps: int, total: int) -> None:
        super()._update_current_progress_remaining(num_timesteps, total)  # type: ignore[misc]
        if self.ent_schedule is not None:
            self.ent_coef = self.ent_schedule(self._current_progress_remaining)  # type: ignore


class _Boundaries(VecEnvWrapper):
    """Notes in the rollout buffer which steps ended an epoch."""

    def __init__(self, venv: VecEnv, buffer: Any) -> None:
        super().__init__(venv)
        self.buffer = buffer

    def reset(self) -> Any:
        return self.venv.reset()

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        observation, reward, done, infos = self.venv.step_wait()
        self.buffer.boundaries[self.buffer.pos] = [
            "epoch_end" in i and i["epoch_end"] for i in infos
        ]
        return observation, reward, done, infos


class _Credited(RolloutBuffer):
    """A rollout buffer whose advantages follow a credit mode.

    Under `window:M` the last M - 1 steps of a rollout wait for the rewards that they are credited
    with: they are learned from one rollout later, with the probabilities that they were taken with.
    """

    STEPWISE = (
        *("observations", "actions", "rewards", "episode_starts", "values", "log_probs"),
        "boundaries",
    )
    """What has one row for each step."""

    def begin(self, credit: Credit) -> None:
        """Set the credit mode; there is nothing from an earlier rollout."""
        if credit.steps > self.buffer_size:
            raise ValueError(
                f"credit {credit} needs rollouts of at least {credit.steps} steps, "
                f"got n_steps={self.buffer_size}"
            )
        self.credit, self.steps = credit, self.buffer_size
        self.pending: dict[str, np.ndarray] = {}
        self.reset()

    def reset(self) -> None:
        """See RolloutBuffer.reset."""
        self.buffer_size = self.steps
        super().reset()
        self.boundaries = np.zeros((self.steps, self.n_envs), dtype=np.float32)

    def compute_returns_and_advantage(self, last_values: torch.Tensor, dones: np.ndarray) -> None:
        """See RolloutBuffer.compute_returns_and_advantage."""
        for name, rows in self.pending.items():
            setattr(self, name, np.concatenate([rows, getattr(self, name)]))
        ends = np.concatenate([self.episode_starts[1:], dones[None].astype(np.float32)])
        self.advantages = advantages(
            self.rewards,
            self.values,
            last_values.clone().cpu().numpy().flatten(),
            ends,
            self.boundaries,
            self.gamma,
            self.gae_lambda,
            self.credit,
        )
        rows = len(self.advantages)
        if self.credit.kind == "window":
            self.pending = {name: getattr(self, name)[rows:].copy() for name in self.STEPWISE}
            for name in self.STEPWISE:
                setattr(self, name, getattr(self, name)[:rows])
            self.buffer_size = rows
        self.returns = self.advantages + self.values


class _CreditedMasked(_Credited, MaskableRolloutBuffer):
    STEPWISE = (*_Credited.STEPWISE, "action_masks")


class _CreditedRecurrent(_Credited, RecurrentRolloutBuffer):
    MEMORIES = ("hidden_states_pi", "cell_states_pi", "hidden_states_vf", "cell_states_vf")
    STEPWISE = (*_Credited.STEPWISE, *MEMORIES)


BUFFERS = {
    RolloutBuffer: _Credited,
    MaskableRolloutBuffer: _CreditedMasked,
    RecurrentRolloutBuffer: _CreditedRecurrent,
}
"""SB3's rollout buffer -> the same under a credit mode."""
