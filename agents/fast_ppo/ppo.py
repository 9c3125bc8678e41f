"""SB3's PPO on table worlds, with everything it does between two rollouts on one device.

    model = FastPPO("MlpPolicy", make_sb3("Investment", 256, seed=0), n_steps=40, batch_size=2048)
    model.learn(400_000)

The same algorithm with the same settings as `stable_baselines3.PPO`; a model saved by either
opens with the other. Its random draws are its own: see `myopia.agents.fast_ppo.random_draws`.
"""

import secrets
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv
from typing_extensions import override

from myopia.agents.credit import CreditedRollouts
from myopia.agents.fast_ppo.engine import Engine, kept_layout
from myopia.agents.fast_ppo.native import native
from myopia.agents.fast_ppo.rollout_callback import needs_steps, report_rollout
from myopia.agents.fast_ppo.simulator import Trace
from myopia.agents.fast_ppo.update_log import UpdateLog
from myopia.envs.credit.credit import Credit


class PendingBuffer:
    """Stands where SB3 keeps a rollout; the engine has that, and here are the steps that wait."""

    def __init__(self, *sizes: Any, credit: Credit, **settings: Any) -> None:
        credit.check_rollout(sizes[0])
        self.pending: dict[str, np.ndarray] = {}


class FastPPO(CreditedRollouts, PPO):
    """PPO on a native batch of a world, as `make_sb3` makes it.

    `credit` is the text of a credit mode; without it that of the env holds. Raises ValueError for
    any other env, and for policies other than MlpPolicy with tanh layers.
    """

    buffer_class = PendingBuffer
    rollouts: int = 0
    """How many rollouts were learned from: the next one's random draws follow from it."""
    draw_seed: int
    _engine: Engine | None = None

    def __init__(
        self, policy: Any, env: Any, *arguments: Any, credit: str | None = None, **settings: Any
    ) -> None:
        told = "lifetime" if env is None else native(env)[1]
        super().__init__(policy, env, *arguments, credit=credit or told, **settings)

    def _setup_model(self) -> None:
        super()._setup_model()
        self._engine = None
        if "draw_seed" not in self.__dict__:
            self.draw_seed = secrets.randbits(62) if self.seed is None else self.seed

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "_engine"]

    @override
    def get_parameters(self) -> dict[str, dict]:
        """Copies, because the model's own are views of what several models share."""
        return _cloned(super().get_parameters())

    @override
    def set_env(self, env: Any, force_reset: bool = True) -> None:
        super().set_env(env, force_reset)
        self._engine = None

    @override
    def waiting_layout(self) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
        return kept_layout(self.n_envs, next(self.policy.parameters()).dtype)

    @property
    def engine(self) -> Engine:
        """What trains this model alone."""
        if self._engine is None or not self._engine.fits([self]):
            self._engine = Engine([self])
        return self._engine

    @override
    def collect_rollouts(
        self,
        env: VecEnv,
        callback: BaseCallback,
        rollout_buffer: Any,
        n_rollout_steps: int,
        *more: Any,
        **named: Any,
    ) -> bool:
        """A rollout on the device. Callbacks are called at each step, or after all of them."""
        callback.on_rollout_start()
        engine = self.engine
        engine.load()
        if needs_steps(callback):
            go_on = bool(engine.collect(Stepwise(self, env, callback)))
        else:
            traces = engine.collect()
            engine.unload()
            go_on = self.report_rollout(traces[0], callback)
        if go_on:
            callback.on_rollout_end()
        return go_on

    def report_rollout(self, trace: Trace, callback: BaseCallback) -> bool:
        """Count what happened in a rollout and pass it on; False where the callback says stop."""
        assert self.ep_info_buffer is not None
        last = _last(trace.ended, self.ep_info_buffer.maxlen)
        lifetimes = zip(trace.lifetime_reward[last], trace.length[last], strict=True)
        self.ep_info_buffer.extend(
            {"r": float(reward), "l": int(length)} for reward, length in lifetimes
        )
        self._last_episode_starts = trace.ended[-1]
        self.num_timesteps += trace.ended.size
        return report_rollout(callback, trace)

    def train(self) -> None:
        """Learn from the last rollout."""
        self.prepare_update()
        self.log_update(self.engine.update(), 0)

    def prepare_update(self) -> None:
        """What SB3 does before an update.

        But for the training mode: it is left on, for a network of linear layers and tanh is the
        same in both, and to switch it costs more than many an update.
        """
        if not self.policy.training:
            self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)

    def log_update(self, record: UpdateLog, number: int) -> None:
        """Log an update, of which `record` tells; this model is its number `number`."""
        self.rollouts += 1
        self._n_updates += record.epochs(number)
        for name, value in record.entries(number, self).items():
            self.logger.record(f"train/{name}", value)
        left = self._current_progress_remaining
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        clip_range: Any = self.clip_range
        self.logger.record("train/clip_range", clip_range(left))
        clip_range_vf: Any = self.clip_range_vf
        if clip_range_vf is not None:
            self.logger.record("train/clip_range_vf", clip_range_vf(left))


class Stepwise:
    """Steps the model's env beside the engine, and calls the callback as SB3 does."""

    def __init__(self, model: FastPPO, env: VecEnv, callback: BaseCallback) -> None:
        self.model, self.env, self.callback = model, env, callback

    def __call__(self, taken: torch.Tensor) -> bool:
        """One step; False where the callback says stop."""
        model, env, callback = self.model, self.env, self.callback
        new_obs: Any
        actions = taken.cpu().numpy()
        new_obs, rewards, dones, infos = env.step(actions)
        model.num_timesteps += env.num_envs
        callback.update_locals({**locals(), "self": model})
        if not callback.on_step():
            return False
        model._update_info_buffer(infos, dones)
        model._last_obs, model._last_episode_starts = new_obs, dones
        return True


def _last(ended: np.ndarray, most: int | None) -> tuple[np.ndarray, ...]:
    """Where the last `most` entries of `ended` (steps, envs) are set, in order of time."""
    since = 0
    if most is not None:
        counts = np.count_nonzero(ended, axis=1)[::-1].cumsum()
        since = max(0, len(ended) - 1 - int(np.searchsorted(counts, most)))
    steps, envs = ended[since:].nonzero()
    first = 0 if most is None else max(0, len(steps) - most)
    return steps[first:] + since, envs[first:]


def _cloned(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, dict):
        return type(value)((key, _cloned(part)) for key, part in value.items())
    return value
