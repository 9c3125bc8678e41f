"""Updates: credit, minibatches, gradients and Adam, for all models of a group at once."""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from myopia.agents.fast_ppo.deduplicate import distinct, each
from myopia.agents.fast_ppo.layout import Spans
from myopia.agents.fast_ppo.loss import (
    Losses,
    LossSettings,
    Samples,
    clipped_loss,
    entropy_gradient,
)
from myopia.agents.fast_ppo.model_group import ModelGroup
from myopia.agents.fast_ppo.rollout import Rollout
from myopia.envs.credit.credit import Credit


class PendingSteps(NamedTuple):
    """Steps that are not yet credited, tensors (steps, E): the last ones under `window:M`."""

    keys: torch.Tensor
    actions: torch.Tensor
    rewards: torch.Tensor
    ends: torch.Tensor
    boundaries: torch.Tensor
    values: torch.Tensor
    log_probs: torch.Tensor


class UpdatePlan(NamedTuple):
    """What an update is told, beside the samples."""

    orders: torch.Tensor  # (epochs, S, samples)
    step_sizes: torch.Tensor  # (S, updates), Adam's
    scales: torch.Tensor  # likewise
    active: torch.Tensor | None  # (S, 1) bool: which models learn at all; None: every one does
    settings: LossSettings


class _Batch(NamedTuple):
    """A rollout as samples, by model."""

    observations: torch.Tensor  # (rows, D): the distinct observations of the rollout
    bounds: torch.Tensor  # each model's first row, and their number
    ints: torch.Tensor  # (2, S, samples): the row of what was seen, the action taken
    floats: torch.Tensor  # (4, S, samples): `Samples`
    apart: list[bool]  # of which models most samples look different


class Updater:
    """Learns from rollouts of a group; sizes and switches are those of its first model."""

    def __init__(self, group: ModelGroup, models: Sequence[Any]) -> None:
        self.group, self.first = group, models[0]
        # neighbours that credit alike are credited together
        self._credits = [
            (credit, sum(1 for _ in same) * group.envs)
            for credit, same in itertools.groupby(
                (model.gamma, model.gae_lambda, Credit.of(model.credit)) for model in models
            )
        ]
        self._bounds = _bounds(group.simulator.spans, group.simulator.num_keys)

    def samples(self, pending: int) -> int:
        """How many samples each model learns from where so many steps waited."""
        kept = Credit.of(self.first.credit).pending
        return (pending + self.group.steps - kept) * self.group.envs

    def learn(
        self, rollout: Rollout, pending: PendingSteps, plan: UpdatePlan
    ) -> tuple[torch.Tensor, torch.Tensor, PendingSteps]:
        """Learn from a rollout, and from the steps that waited for it.

        Returns what is noted of the minibatches (minibatches, len(record.COLUMNS), S), the
        explained variances (S,), and the steps that wait now.
        """
        batch, left = self._samples(rollout, pending)
        group, first = self.group, self.first
        size, count = first.batch_size, batch.ints.shape[2]
        shift = torch.arange(group.models, device=group.device)[:, None] * count
        active, notes = plan.active, []
        for order in plan.orders:
            order = (order + shift).flatten()
            ints = batch.ints.flatten(1).index_select(1, order).view_as(batch.ints)
            floats = batch.floats.flatten(1).index_select(1, order).view_as(batch.floats)
            for start in range(0, count, size):
                part, number = slice(start, start + size), len(notes)
                samples = Samples(*floats[:, :, part])
                losses, entropy = self._gradient(batch, ints[:, :, part], samples, plan.settings)
                if active is not None and first.target_kl is not None:
                    active = active & (losses.kl[:, None] <= 1.5 * plan.settings.target_kl)
                group.parameters.clip(plan.settings.max_grad_norm)
                now = slice(number, number + 1)
                group.parameters.step(plan.step_sizes[:, now], plan.scales[:, now], active)
                learning = torch.ones_like(entropy) if active is None else active[:, 0]
                notes.append(torch.stack([*losses, entropy, learning]))
            if group.on_cpu and active is not None and not active.any():
                break
        return torch.stack(notes), _explained(Samples(*batch.floats)), left

    def _samples(self, rollout: Rollout, pending: PendingSteps) -> tuple[_Batch, PendingSteps]:
        """Evaluate the steps with the policies that took them, and credit them."""
        group, late = self.group, len(pending.keys)
        keys = torch.cat([pending.keys, rollout.keys])
        actions, rewards, ends, boundaries = (
            torch.cat(pair) for pair in zip(pending[1:5], rollout[1:], strict=True)
        )
        by_model = group.by_model(keys)
        frame = distinct(by_model, self._bounds) if group.on_cpu else each(by_model)
        observations = group.observations(frame.rows, frame.spans)
        logits, values = group.networks.forward(observations, frame.spans)
        rows = group.by_step(frame.place.view(group.models, -1))
        values = values.take(rows)
        log_prob = logits.log_softmax(0).view(-1).take(actions * logits.shape[1] + rows[:-1])
        # steps that waited were taken, and valued, by earlier policies
        values, last_values = torch.cat([pending.values, values[late:-1]]), values[-1]
        log_prob = torch.cat([pending.log_probs, log_prob[late:]])
        gained = self._advantages(rewards, values, last_values, ends, boundaries)
        done = len(gained)
        columns = (keys[:-1], actions, rewards, ends, boundaries, values, log_prob)
        left = PendingSteps(*(column[done:].clone() for column in columns))
        values, log_prob = values[:done], log_prob[:done]
        floats = (gained, gained + values, values, log_prob)
        batch = _Batch(
            observations,
            _bounds(frame.spans, len(frame.rows)),
            torch.stack([group.by_model(x) for x in (rows[:done], actions[:done])]),
            torch.stack([group.by_model(x) for x in floats]),
            [2 * (end - start) > by_model.shape[1] for start, end in frame.spans],
        )
        return batch, left

    def _advantages(self, *arrays: torch.Tensor) -> torch.Tensor:
        parts, start = [], 0
        for (gamma, gae_lambda, credit), width in self._credits:
            mine: Any = [array[..., start : start + width] for array in arrays]
            if self.group.on_cpu:  # for rows this short numpy's operations cost less
                mine = [array.numpy() for array in mine]
            rewards, values, last_values, ends, boundaries = mine
            gained = credit.advantages(
                rewards, values, last_values, ends, boundaries, gamma, gae_lambda
            )
            parts.append(torch.as_tensor(gained))
            start += width
        return torch.cat(parts, dim=1)

    def _gradient(
        self, batch: _Batch, ints: torch.Tensor, samples: Samples, settings: LossSettings
    ) -> tuple[Losses, torch.Tensor]:
        """Write the gradient of a minibatch's loss; returns its losses and entropies (S,)."""
        group = self.group
        place, action = ints[0], ints[1]
        groups = distinct(place, batch.bounds, batch.apart) if group.on_cpu else each(place)
        observations = batch.observations.index_select(0, groups.rows)
        logits, values = group.networks.forward(observations, groups.spans)
        log_probs = logits.log_softmax(0)
        probs = log_probs.exp()
        entropies, against = entropy_gradient(log_probs, probs)
        row = groups.place
        chosen = torch.add(row, action.flatten(), alpha=logits.shape[1])
        gradient, losses = clipped_loss(
            log_probs.view(-1).index_select(0, chosen).view_as(place),
            values.index_select(0, row).view_as(place),
            samples,
            settings,
            self.first.normalize_advantage,
            self.first.clip_range_vf is not None,
        )
        # by what the networks said of each sample -> by what they said of each row
        share = (settings.ent_coef / place.shape[1]).expand_as(place).flatten()
        by_choice = torch.zeros_like(log_probs)
        by_choice.view(-1).index_add_(0, chosen, gradient.log_prob.flatten())
        by_entropy = torch.zeros_like(entropies).index_add_(0, row, share)
        by_value = torch.zeros_like(values).index_add_(0, row, gradient.value.flatten())
        by_logit = by_choice.addcmul_(probs, by_choice.sum(0), value=-1)
        by_logit.addcmul_(against, by_entropy)
        group.networks.backward(by_logit, by_value)
        return losses, entropies.index_select(0, row).view_as(place).mean(1)


def _explained(samples: Samples) -> torch.Tensor:
    """The share of the returns' variance that the values explained, (S,); NaN without any."""
    variance = samples.returns.var(1, correction=0)
    rest = (samples.returns - samples.old_values).var(1, correction=0)
    return torch.where(variance > 0, 1 - rest / variance, torch.nan)


def _bounds(spans: Spans, total: int) -> torch.Tensor:
    return torch.tensor([*(start for start, _ in spans), total])
