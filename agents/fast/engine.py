"""PPO for several models side by side, on one device.

Worlds are tables, so observations are kept as numbers, and what a policy says of one is worked
out once for all samples that show it: the same sums in another order, in a fraction of the time.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from myopia.agents.fast import draws
from myopia.agents.fast.actor import Actor, Rollout
from myopia.agents.fast.graph import Graph
from myopia.agents.fast.group import Group
from myopia.agents.fast.learner import Learner, Plan, Waiting
from myopia.agents.fast.loss import Settings
from myopia.agents.fast.native import native
from myopia.agents.fast.record import Record
from myopia.agents.fast.walk import Trace
from myopia.envs.batch import STATE


class Engine:
    """Collects rollouts of SB3 PPO models and learns from them, as SB3 would for each alone.

    Learning rates, clip ranges, loss weights, discounts and credit modes are each model's own.
    """

    def __init__(self, models: Sequence[Any]) -> None:
        self.models = list(models)
        self._signature = _signature(models)
        self._envs = [native(model.env)[0] for model in models]
        self.group = Group(models)
        self.actor, self.learner = Actor(self.group), Learner(self.group, models)
        self._roll: Callable[..., Any] = self.actor.roll
        self._learn: Callable[..., Any] = self.learner.learn
        if not self.group.on_cpu:
            self._roll, self._learn = Graph(self._roll), Graph(self._learn, self.group.parameters)
        self.rollout: Rollout
        self._home: tuple[torch.Tensor, ...]

    def fits(self, models: Sequence[Any]) -> bool:
        """Whether this is an engine for these models as they are now."""
        return self._signature == _signature(models)

    def load(self) -> None:
        """Go on with the weights of the models and the lifetimes of their envs, as they are."""
        self.group.parameters.bind()
        state = self.group.walk.join([env.batch.state() for env in self._envs])
        self._home = tuple(state[name] for name in STATE)

    def unload(self) -> None:
        """Put the lifetimes back into the models' envs."""
        states = self.group.walk.split(dict(zip(STATE, self._home, strict=True)))
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
        chances = torch.cat(
            [
                draws.uniforms(m.draw_seed, m.rollouts, group.steps, group.envs, group.device)
                for m in self.models
            ],
            dim=1,
        )
        if on_step is None:
            rolled = self._roll(chances, *self._home)
        else:
            rolled = self.actor.roll(chances, *self._home, on_step=on_step)
        if rolled is None:
            return []
        self.rollout, trace, self._home = rolled
        arrays = [x.cpu().numpy() for x in trace]
        return [Trace(*(x[:, columns] for x in arrays)) for columns in group.columns()]

    @torch.inference_mode()
    def update(self, going_on: Sequence[bool] | None = None) -> Record:
        """Learn from the last rollout; models that are not `going_on` are left as they are."""
        group, first = self.group, self.models[0]
        group.parameters.bind()
        waiting = self._waiting()
        samples = self.learner.samples(len(waiting.keys))
        orders = [
            draws.orders(m.draw_seed, m.rollouts, m.n_epochs, samples, group.device)
            for m in self.models
        ]
        per_epoch = -(-samples // first.batch_size)
        active = None
        if first.target_kl is not None or not all(going_on or [True]):
            active = torch.tensor(going_on or [True] * len(self.models), device=group.device)
            active = active[:, None]
        step_sizes, scales = group.parameters.plan(first.n_epochs * per_epoch)
        plan = Plan(torch.stack(orders, dim=1), step_sizes, scales, active, self._settings())
        notes, explained, left = self._learn(self.rollout, waiting, plan)
        self._wait(left)
        record = Record.of(notes.cpu().numpy(), per_epoch, explained.cpu().numpy())
        group.parameters.count(record.updates)
        return record

    def _settings(self) -> Settings:
        rows = []
        for model in self.models:
            left = model._current_progress_remaining
            limit = model.clip_range_vf and model.clip_range_vf(left)
            row = (model.clip_range(left), limit, model.ent_coef, model.vf_coef)
            rows.append([*row, model.max_grad_norm, model.target_kl])
        table = [[float(value or 0.0) for value in row] for row in rows]
        group = self.group
        columns = torch.tensor(table, dtype=group.dtype, device=group.device).T[:, :, None]
        return Settings(*columns)

    def _waiting(self) -> Waiting:
        group, parts = self.group, []
        for model, (first_key, _) in zip(self.models, group.walk.spans, strict=True):
            kept = model.rollout_buffer.waiting
            if kept:
                columns = [torch.as_tensor(kept[name], device=group.device) for name in KEPT]
            else:
                ints = torch.zeros(0, group.envs, dtype=torch.int64, device=group.device)
                columns = [ints, ints, *[ints.to(group.dtype)] * (len(KEPT) - 2)]
            parts.append([columns[0] + first_key, *columns[1:]])
        return Waiting(*(torch.cat(columns, dim=1) for columns in zip(*parts, strict=True)))

    def _wait(self, left: Waiting) -> None:
        spans, columns = self.group.walk.spans, self.group.columns()
        for model, (first_key, _), mine in zip(self.models, spans, columns, strict=True):
            kept = [column[:, mine].cpu().numpy().copy() for column in left]
            kept[0] -= first_key
            waits = dict(zip(KEPT, kept, strict=True)) if len(kept[0]) else {}
            model.rollout_buffer.waiting = waits


KEPT = ("rows", *Waiting._fields[1:])
"""How a model keeps the columns of `Waiting`: observations by their number in its own world."""


def _signature(models: Sequence[Any]) -> list[tuple[Any, ...]]:
    names = ("policy", "env", "n_envs", "n_steps", "credit", "gamma", "gae_lambda", "device")
    return [tuple(getattr(model, name) for name in names) for model in models]
