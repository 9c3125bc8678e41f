"""PPO for several models side by side, on one device: rollouts, advantages, minibatches, updates.

Worlds are tables, so observations are kept as numbers, and what a policy says of one is worked
out once for all samples that show it: the same sums in another order, in a fraction of the time.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from myopia.agents.credit import Credit, advantages
from myopia.agents.fast import draws
from myopia.agents.fast.grouping import Groups, distinct, each
from myopia.agents.fast.layout import Spans, lay_out
from myopia.agents.fast.loss import Losses, Samples, Settings, clipped_loss, entropy_gradient
from myopia.agents.fast.native import native
from myopia.agents.fast.parameters import Parameters
from myopia.agents.fast.record import Record
from myopia.agents.fast.towers import towers
from myopia.agents.fast.walk import Trace, make_walk


WAITING = ("rows", "actions", "rewards", "ends", "boundaries", "values", "log_probs")
"""What is kept of a step that is not yet credited."""


ALIKE: dict[str, Callable[[Any], Any]] = {
    **{name: operator.attrgetter(name) for name in ("n_steps", "n_envs", "batch_size", "n_epochs")},
    "normalize_advantage": operator.attrgetter("normalize_advantage"),
    "device": operator.attrgetter("device"),
    "entries of the observation": lambda model: model.observation_space.shape[0],
    "actions": lambda model: model.action_space.n,
    "network": lambda model: [
        (name, tuple(weight.shape), weight.dtype) for name, weight in model.policy.named_parameters()
    ],
    "whether values are clipped": lambda model: model.clip_range_vf is not None,
    "whether there is a target_kl": lambda model: model.target_kl is not None,
    "steps of the credit window": lambda model: Credit.of(model.credit).steps,
    "steps that wait for credit": lambda model: len(model.rollout_buffer.waiting.get("rows", ())),
}
"""What models must agree in to learn side by side."""


class Rollout(NamedTuple):
    """What a rollout is learned from; tensors (steps, E), E the envs of all models."""

    keys: torch.Tensor  # (steps + 1, E): the numbers of the observations, the last one included
    actions: torch.Tensor
    rewards: torch.Tensor
    ends: torch.Tensor
    boundaries: torch.Tensor


class Batch(NamedTuple):
    """A rollout as samples, tensors (S, samples), by model; `Samples` come beside it."""

    frame: Groups
    observations: torch.Tensor  # (rows of the frame, D)
    place: torch.Tensor  # row of the frame
    action: torch.Tensor
    floats: torch.Tensor  # (4, S, samples): Samples, stacked


class Engine:
    """S models that train on worlds with as many actions and entries, under the same settings.

    `models` are SB3 PPO models; learning rates, clip ranges, loss weights and discounts are each
    model's own, shapes are those of the first.
    """

    def __init__(self, models: Sequence[Any]) -> None:
        first = models[0]
        check_alike(models)
        self._envs = [native(model.env)[0] for model in models]
        worlds = [env.world for env in self._envs]
        self.models, self.device = list(models), first.device
        self._signature = _signature(models)
        self.steps, self.envs = first.n_steps, first.n_envs
        self.parameters = Parameters([model.policy for model in models])
        self.dtype = self.parameters.values.dtype
        self.policy, self.value = towers(first.policy, self.parameters)
        self.walk = make_walk(worlds, self.envs, self.device)
        self.actions = len(worlds[0].actions)
        self.entries = first.observation_space.shape[0]
        self.home: dict[str, torch.Tensor] = {}
        self.credits = [Credit.of(model.credit) for model in models]
        self._bounds = _bounds(self.walk.spans, self.walk.num_keys)
        rows = max(rows.count for rows in self.walk.rows)
        self._every: torch.Tensor | None = None
        if rows <= self.steps * self.envs:
            keys = torch.arange(self.walk.num_keys, device=self.device)
            self._every = self._observations(keys, self.walk.spans)

    def fits(self, models: Sequence[Any]) -> bool:
        """Whether this is an engine for these models as they are now."""
        return self._signature == _signature(models)

    def load(self) -> None:
        """Go on with the lifetimes of the models' envs."""
        self.home = self.walk.join([env.batch.state() for env in self._envs])

    def unload(self) -> None:
        """Put the lifetimes back into the models' envs."""
        states = self.walk.split(self.home)
        for model, env, state in zip(self.models, self._envs, states, strict=True):
            env.batch.resume(state)
            model._last_obs = env.batch.see()

    @torch.inference_mode()
    def collect(self, on_step: Callable[[torch.Tensor], bool] | None = None) -> list[Trace]:
        """One rollout with the present policies; what happened to each model's envs, in numpy.

        `on_step` is given the actions (E,) of each step; where it returns False the rollout is
        given up, and nothing is returned.
        """
        chances = torch.cat(
            [
                draws.uniforms(m.draw_seed, m.rollouts, self.steps, self.envs, self.device)
                for m in self.models
            ],
            dim=1,
        )
        walk = self.walk
        walk.resume(self.home)
        choose = self._chooser()
        keys, actions = [walk.keys], []
        for step in range(self.steps):
            actions.append(choose(walk.keys, chances[step]))
            walk.step(actions[-1])
            keys.append(walk.keys)
            if on_step is not None and not on_step(actions[-1]):
                return []
        trace = walk.trace()
        self.home = walk.state()
        self.rollout = Rollout(
            torch.stack(keys),
            torch.stack(actions),
            # SB3's envs pay in float32
            trace.reward.float().to(self.dtype),
            trace.ended.to(self.dtype),
            trace.epoch_end.to(self.dtype),
        )
        arrays = [x.cpu().numpy() for x in trace]
        columns = range(0, len(self.models) * self.envs, self.envs)
        return [Trace(*(x[:, i : i + self.envs] for x in arrays)) for i in columns]

    def _chooser(self) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        """(keys, chances) -> actions, (E,) each, with the present policies."""
        if self._every is not None:
            table = self._edges(self._every, self.walk.spans)
            return lambda keys, chance: _fall(table.index_select(0, keys), chance)
        models = len(self.models)
        spans, total = lay_out([self.envs] * models)
        places = torch.cat([torch.arange(*span, device=self.device) for span in spans])

        def choose(keys: torch.Tensor, chance: torch.Tensor) -> torch.Tensor:
            filled = keys.new_zeros(total).index_copy_(0, places, keys)
            edges = self._edges(self._observations(filled, spans), spans)
            return _fall(edges.index_select(0, places), chance)

        return choose

    def _edges(self, observations: torch.Tensor, spans: Spans) -> torch.Tensor:
        """Cumulated probabilities of all actions but the last, (rows, A - 1)."""
        probabilities = self.policy.forward(observations, spans).softmax(1)
        return probabilities.cumsum(1)[:, :-1].contiguous()

    def _observations(self, keys: torch.Tensor, spans: Spans) -> torch.Tensor:
        """What keys (rows,) stand for, (rows, D); those of model s in its span."""
        seen = torch.zeros(len(keys), self.entries, dtype=self.dtype, device=self.device)
        for rows, (start, end), (first, _) in zip(
            self.walk.rows, spans, self.walk.spans, strict=True
        ):
            seen[start:end] = rows.observations(keys[start:end] - first)
        return seen

    @torch.inference_mode()
    def update(self, going_on: Sequence[bool] | None = None) -> Record:
        """Learn from the last rollout: `n_epochs` passes over its samples.

        Models that are not `going_on` are left as they are.
        """
        self.parameters.bind()
        active = None
        if self.models[0].target_kl is not None or not all(going_on or [True]):
            going_on = going_on or [True] * len(self.models)
            active = torch.tensor(going_on, device=self.device)[:, None]
        return self._passes(self._prepare(), active)

    def _prepare(self) -> Batch:
        """Evaluate the rollout with the policies that made it, and credit its steps."""
        rollout, waiting = self.rollout, self._take_waiting()
        late = len(waiting[0])
        keys = torch.cat([waiting[0], rollout.keys])
        actions, rewards, ends, boundaries = (
            torch.cat(pair) for pair in zip(waiting[1:5], rollout[1:], strict=True)
        )
        by_model = self._by_model(keys)
        frame = distinct(by_model, self._bounds) if self._cpu else each(by_model)
        observations = self._observations(frame.rows, frame.spans)
        log_probs = self.policy.forward(observations, frame.spans).log_softmax(1)
        place = frame.place.view(len(self.models), -1)
        rows = self._by_step(place)
        values = self.value.forward(observations, frame.spans).view(-1).take(rows)
        log_prob = log_probs.view(-1).take(rows[:-1] * self.actions + actions)
        # steps that waited were taken, and valued, by earlier policies
        values, last_values = torch.cat([waiting[5], values[late:-1]]), values[-1]
        log_prob = torch.cat([waiting[6], log_prob[late:]])
        gained = self._advantages(rewards, values, last_values, ends, boundaries)
        credited = len(gained)
        columns = (keys[:-1], actions, rewards, ends, boundaries, values, log_prob)
        self._let_wait([column[credited:] for column in columns])
        values, log_prob = values[:credited], log_prob[:credited]
        floats = [self._by_model(x) for x in (gained, gained + values, values, log_prob)]
        return Batch(
            frame,
            observations,
            self._by_model(rows[:credited]),
            self._by_model(actions[:credited]),
            torch.stack(floats),
        )

    def _take_waiting(self) -> list[torch.Tensor]:
        """What waits for its rewards: columns (steps, E), in the order of WAITING."""
        parts = []
        for model, (offset, _) in zip(self.models, self.walk.spans, strict=True):
            kept = model.rollout_buffer.waiting
            if not kept:
                ints = torch.zeros(0, self.envs, dtype=torch.int64, device=self.device)
                parts.append([ints, ints, *[ints.to(self.dtype)] * (len(WAITING) - 2)])
                continue
            columns = [torch.as_tensor(kept[name], device=self.device) for name in WAITING]
            parts.append([columns[0] + offset, *columns[1:]])
        return [torch.cat(columns, dim=1) for columns in zip(*parts, strict=True)]

    def _let_wait(self, columns: list[torch.Tensor]) -> None:
        for number, (model, (offset, _)) in enumerate(
            zip(self.models, self.walk.spans, strict=True)
        ):
            mine = slice(number * self.envs, (number + 1) * self.envs)
            kept = [column[:, mine].clone() for column in columns]
            kept[0] -= offset
            waits = len(kept[0]) > 0
            model.rollout_buffer.waiting = dict(zip(WAITING, kept, strict=True)) if waits else {}

    def _advantages(
        self,
        rewards: torch.Tensor,
        values: torch.Tensor,
        last_values: torch.Tensor,
        ends: torch.Tensor,
        boundaries: torch.Tensor,
    ) -> torch.Tensor:
        parts = []
        for number, (model, credit) in enumerate(zip(self.models, self.credits, strict=True)):
            mine = slice(number * self.envs, (number + 1) * self.envs)
            arrays = [x[..., mine] for x in (rewards, values, last_values, ends, boundaries)]
            if self._cpu:  # numpy's operations on rows this short cost less
                arrays = [x.numpy() for x in arrays]
            gained = advantages(*arrays, model.gamma, model.gae_lambda, credit)
            parts.append(torch.as_tensor(gained))
        return torch.cat(parts, dim=1)

    def _passes(self, batch: Batch, active: torch.Tensor | None) -> Record:
        first = self.models[0]
        models, samples = batch.place.shape
        size = first.batch_size
        starts = range(0, samples, size)
        pairs = torch.stack([batch.place, batch.action])
        bounds = _bounds(batch.frame.spans, len(batch.frame.rows))
        orders = torch.stack(
            [
                draws.orders(m.draw_seed, m.rollouts, m.n_epochs, samples, self.device)
                for m in self.models
            ],
            dim=1,
        )
        settings = self._settings()
        step_sizes, scales = self.parameters.plan(first.n_epochs * len(starts))
        reports: list[tuple[torch.Tensor, ...]] = []
        shift = torch.arange(models, device=self.device)[:, None] * samples
        for order in orders:
            order = (order + shift).flatten()
            ints = pairs.flatten(1).index_select(1, order).view_as(pairs)
            floats = batch.floats.flatten(1).index_select(1, order).view_as(batch.floats)
            for start in starts:
                part = slice(start, start + size)
                number = len(reports)
                losses = self._gradient(
                    batch, ints[:, :, part], Samples(*floats[:, :, part]), settings, bounds
                )
                if active is not None and first.target_kl is not None:
                    active = active & (losses[0].kl[:, None] <= 1.5 * settings.target_kl)
                self.parameters.clip(settings.max_grad_norm)
                self.parameters.step(
                    step_sizes[:, number : number + 1], scales[:, number : number + 1], active
                )
                going_on = torch.ones(models) if active is None else active[:, 0]
                reports.append((*losses[0], losses[1], going_on))
            if self._cpu and active is not None and not active.any():
                break
        table = torch.stack([entry for report in reports for entry in report])
        record = Record.of(
            table.view(len(reports), -1, models).cpu().numpy(), len(starts), batch.floats
        )
        self.parameters.count(record.updates)
        return record

    def _gradient(
        self,
        batch: Batch,
        pairs: torch.Tensor,
        samples: Samples,
        settings: Settings,
        bounds: torch.Tensor,
    ) -> tuple[Losses, torch.Tensor]:
        """Write the gradient of the loss of one minibatch; returns its losses and entropies."""
        first = self.models[0]
        place, action = pairs[0], pairs[1]
        groups = distinct(place, bounds) if self._cpu else each(place)
        observations = batch.observations.index_select(0, groups.rows)
        log_probs = self.policy.forward(observations, groups.spans).log_softmax(1)
        values = self.value.forward(observations, groups.spans).view(-1)
        probs = log_probs.exp()
        entropies, against = entropy_gradient(log_probs, probs)
        row = groups.place
        chosen = torch.add(action.flatten(), row, alpha=self.actions)
        gradient, losses = clipped_loss(
            log_probs.view(-1).index_select(0, chosen).view_as(place),
            values.index_select(0, row).view_as(place),
            samples,
            settings,
            first.normalize_advantage,
            first.clip_range_vf is not None,
        )
        weight = (settings.ent_coef / place.shape[1]).expand_as(place).flatten()
        by_choice = torch.zeros_like(log_probs)
        by_choice.view(-1).index_add_(0, chosen, gradient.log_prob.flatten())
        by_entropy = torch.zeros_like(entropies).index_add_(0, row, weight)
        by_value = torch.zeros_like(values).index_add_(0, row, gradient.value.flatten())
        by_logit = by_choice.sub_(probs * by_choice.sum(1, keepdim=True))
        by_logit.addcmul_(against, by_entropy[:, None])
        self.policy.backward(by_logit)
        self.value.backward(by_value[:, None])
        return losses, entropies.index_select(0, row).view_as(place).mean(1)

    def _settings(self) -> Settings:
        def column(of: Callable[[Any], Any]) -> torch.Tensor:
            values = [[float(of(model) or 0.0)] for model in self.models]
            return torch.tensor(values, dtype=self.dtype, device=self.device)

        return Settings(
            column(lambda m: m.clip_range(m._current_progress_remaining)),
            column(
                lambda m: m.clip_range_vf and m.clip_range_vf(m._current_progress_remaining)
            ),
            column(lambda m: m.ent_coef),
            column(lambda m: m.vf_coef),
            column(lambda m: m.max_grad_norm),
            column(lambda m: m.target_kl),
        )

    @property
    def _cpu(self) -> bool:
        return self.device.type == "cpu"

    def _by_model(self, x: torch.Tensor) -> torch.Tensor:
        """(steps, E) -> (S, steps * envs)."""
        return x.view(len(x), len(self.models), self.envs).transpose(0, 1).reshape(
            len(self.models), -1
        )

    def _by_step(self, x: torch.Tensor) -> torch.Tensor:
        """(S, steps * envs) -> (steps, E)."""
        return x.view(len(self.models), -1, self.envs).transpose(0, 1).flatten(1)


def check_alike(models: Sequence[Any]) -> None:
    """Raise ValueError where models cannot learn side by side, naming what differs."""
    for name, of in ALIKE.items():
        values = [of(model) for model in models]
        for value in values[1:]:
            if value != values[0]:
                raise ValueError(
                    f"models that learn together must agree in {name}, got {values[0]} and {value}"
                )


def _fall(edges: torch.Tensor, chance: torch.Tensor) -> torch.Tensor:
    """The action on which each draw falls; edges (E, A - 1), chance (E,)."""
    return (chance[:, None] >= edges).sum(1)




def _bounds(spans: Spans, total: int) -> torch.Tensor:
    return torch.tensor([*(start for start, _ in spans), total])


def _signature(models: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What an engine is built for."""
    names = ("policy", "env", "n_envs", "n_steps", "credit", "device")
    return [tuple(getattr(model, name) for name in names) for model in models]
