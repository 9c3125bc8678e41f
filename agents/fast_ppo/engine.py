"""PPO for several models side by side, on one device.

Worlds are tables, so observations are kept as numbers, and what a policy says of one is worked
out once for all samples that show it: the same sums in another order, in a fraction of the time.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from myopia.agents.fast_ppo import random_draws
from myopia.agents.fast_ppo.cuda_graph import GraphedFunction
from myopia.agents.fast_ppo.device_copy import DeviceCopy
from myopia.agents.fast_ppo.loss import LossSettings
from myopia.agents.fast_ppo.model_group import ModelGroup
from myopia.agents.fast_ppo.native import native
from myopia.agents.fast_ppo.rollout import Rollout, RolloutCollector
from myopia.agents.fast_ppo.simulator import Trace
from myopia.agents.fast_ppo.transfer import fetch
from myopia.agents.fast_ppo.update import PendingSteps, UpdatePlan, Updater
from myopia.agents.fast_ppo.update_log import UpdateLog
from myopia.envs.batch import STATE


class Engine:
    """Collects rollouts of SB3 PPO models and learns from them, as SB3 would for each alone.

    Learning rates, clip ranges, loss weights, discounts and credit modes are each model's own.
    """

    def __init__(self, models: Sequence[Any]) -> None:
        self.models = list(models)
        self._signature = _signature(models)
        self._envs = [native(model.env)[0] for model in models]
        self.group = ModelGroup(models)
        self.collector, self.updater = RolloutCollector(self.group), Updater(self.group, models)
        self._roll: Callable[..., Any] = self.collector.roll
        self._learn: Callable[..., Any] = self.updater.learn
        if not self.group.on_cpu:
            self._roll, self._learn = (
                GraphedFunction(self._roll),
                GraphedFunction(self._learn, self.group.parameters),
            )
        self.rollout: Rollout
        # what the device has, and what the models have of it
        self._home: tuple[torch.Tensor, ...]
        self._left: PendingSteps
        self._lifetime_copy, self._pending_copy = DeviceCopy(), DeviceCopy()
        self._reached: list[np.ndarray]

    def fits(self, models: Sequence[Any]) -> bool:
        """Whether this is an engine for these models as they are now."""
        return self._signature == _signature(models)

    def load(self) -> None:
        """Go on with the weights of the models and the lifetimes of their envs, as they are."""
        self.group.parameters.bind()
        states = [env.batch.state() for env in self._envs]
        if not self._lifetime_copy.by(states):
            joined = self.group.simulator.join(states)
            self._home = tuple(joined[name] for name in STATE)

    def unload(self) -> None:
        """Put the lifetimes, as they are after the rollout, into the models' envs."""
        states = self.group.simulator.split(dict(zip(STATE, self._reached, strict=True)))
        self._lifetime_copy.give(states)
        for model, env, state in zip(self.models, self._envs, states, strict=True):
            env.batch.resume(state)
            model._last_obs = env.batch.see()

    @torch.inference_mode()
    def collect(self, on_step: Callable[[torch.Tensor], bool] | None = None) -> list[Trace]:
        """One rollout with the present policies; what happened to each model's envs, in numpy.

        `on_step` is given the actions (E,) of each step; where it returns False the rollout is
        given up, and nothing is returned.
        """
        group = self.group
        chances = self._draw(random_draws.uniforms, group.steps, group.envs)
        if on_step is None:
            rolled = self._roll(chances, *self._home)
        else:
            rolled = self.collector.roll(chances, *self._home, on_step=on_step)
        if rolled is None:
            return []
        self.rollout, trace, self._home = rolled
        arrays = fetch([*trace, *self._home])
        trace, self._reached = arrays[: len(trace)], arrays[len(trace) :]
        return [Trace(*(x[:, columns] for x in trace)) for columns in group.columns()]

    @torch.inference_mode()
    def update(self, active: Sequence[bool] | None = None) -> UpdateLog:
        """Learn from the last rollout; models that are not `active` are left as they are."""
        group, first = self.group, self.models[0]
        group.parameters.bind()
        pending = self._pending()
        samples = self.updater.samples(len(pending.keys))
        orders = self._draw(random_draws.orders, first.n_epochs, samples)
        orders = orders.unflatten(1, (group.models, -1))
        per_epoch = -(-samples // first.batch_size)
        learning = None
        if first.target_kl is not None or not all(active or [True]):
            learning = torch.tensor(active or [True] * len(self.models), device=group.device)
            learning = learning[:, None]
        step_sizes, scales = group.parameters.plan(first.n_epochs * per_epoch)
        plan = UpdatePlan(orders, step_sizes, scales, learning, self._settings())
        notes, explained, self._left = self._learn(self.rollout, pending, plan)
        noted, share, *left = fetch([notes, explained, *self._left])
        self._keep_pending(left)
        record = UpdateLog.of(noted, per_epoch, share)
        group.parameters.count(record.updates)
        return record

    def _settings(self) -> LossSettings:
        rows = []
        for model in self.models:
            left = model._current_progress_remaining
            limit = model.clip_range_vf and model.clip_range_vf(left)
            row = (model.clip_range(left), limit, model.ent_coef, model.vf_coef)
            rows.append([*row, model.max_grad_norm, model.target_kl])
        table = [[float(value or 0.0) for value in row] for row in rows]
        group = self.group
        columns = torch.tensor(table, dtype=group.dtype, device=group.device).T[:, :, None]
        return LossSettings(*columns)

    def _draw(self, draw: Callable[..., torch.Tensor], rows: int, columns: int) -> torch.Tensor:
        """What the models draw now, (rows, S * columns)."""
        seeds = [model.draw_seed for model in self.models]
        rollouts = [model.rollouts for model in self.models]
        return draw(seeds, rollouts, rows, columns, self.group.device)

    def _pending(self) -> PendingSteps:
        present = [model.pending_steps for model in self.models]
        if self._pending_copy.by(present):
            return self._left
        group, parts = self.group, []
        for kept, (first_key, _) in zip(present, group.simulator.spans, strict=True):
            none = torch.zeros(0, group.envs, dtype=torch.int64)
            columns = [torch.from_numpy(np.array(kept[name])) if kept else none for name in KEPT]
            parts.append([columns[0] + first_key, *columns[1:]])
        joined = [torch.cat(columns, dim=1) for columns in zip(*parts, strict=True)]
        kinds = [torch.int64] * 2 + [group.dtype] * (len(KEPT) - 2)
        return PendingSteps(*(x.to(group.device, k) for x, k in zip(joined, kinds, strict=True)))

    def _keep_pending(self, left: list[np.ndarray]) -> None:
        spans, columns, waits = self.group.simulator.spans, self.group.columns(), []
        for (first_key, _), mine in zip(spans, columns, strict=True):
            keys, *rest = (column[:, mine] for column in left)
            kept = [keys - first_key, *(column.copy() for column in rest)]
            waits.append(dict(zip(KEPT, kept, strict=True)) if len(keys) else {})
        self._pending_copy.give(waits)
        for model, kept in zip(self.models, waits, strict=True):
            model.pending_steps = kept


KEPT = ("rows", *PendingSteps._fields[1:])
"""How a model keeps the columns of `PendingSteps`: observations by number in its own world."""


def kept_layout(num_envs: int, dtype: torch.dtype) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Column -> shape (of one step) and kind of the steps that a model keeps."""
    real = torch.zeros(0, dtype=dtype).numpy().dtype
    kinds = [np.dtype(np.int64)] * 2 + [real] * (len(KEPT) - 2)
    return {name: ((num_envs,), kind) for name, kind in zip(KEPT, kinds, strict=True)}


def _signature(models: Sequence[Any]) -> list[tuple[Any, ...]]:
    names = ("policy", "env", "n_envs", "n_steps", "credit", "gamma", "gae_lambda", "device")
    return [tuple(getattr(model, name) for name in names) for model in models]
