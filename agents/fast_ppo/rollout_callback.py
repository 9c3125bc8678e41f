"""Callbacks that are told of a whole rollout at once, so that nothing stops at its steps."""

from stable_baselines3.common.callbacks import (
    BaseCallback,
    CallbackList,
    ConvertCallback,
    ProgressBarCallback,
)
from typing_extensions import override

from myopia.agents.fast_ppo.simulator import Trace


class RolloutCallback(BaseCallback):
    """A callback that needs no call at single steps.

    A trainer that takes all steps of a rollout before it looks at them calls `on_rollout` once,
    between `on_rollout_start` and `on_rollout_end`; SB3's own loop calls `on_step` at each step.
    Never both.
    """

    def on_rollout(self, trace: Trace) -> bool:
        """A rollout of `trace`, numpy arrays (steps, envs); False where training is to stop."""
        self.n_calls += len(trace.ended)
        self.num_timesteps = self.model.num_timesteps
        return self._on_rollout(trace)

    def _on_rollout(self, trace: Trace) -> bool:
        return True

    @override
    def _on_step(self) -> bool:
        return True


def needs_steps(callback: BaseCallback) -> bool:
    """Whether `callback`, or one in it, has to be called at every step."""
    if isinstance(callback, CallbackList):
        return any(map(needs_steps, callback.callbacks))
    if isinstance(callback, ConvertCallback):
        return callback.callback is not None
    return not isinstance(callback, RolloutCallback | ProgressBarCallback)


def report_rollout(callback: BaseCallback, trace: Trace) -> bool:
    """Tell a callback that needs no steps of a rollout; False where one says stop."""
    if isinstance(callback, CallbackList):
        told = [report_rollout(one, trace) for one in callback.callbacks]
        return all(told)  # each is told, whatever the one before it says
    if isinstance(callback, RolloutCallback):
        return callback.on_rollout(trace)
    counted = [callback.on_step() for _ in trace.ended]  # a progress bar counts the steps
    return all(counted)
