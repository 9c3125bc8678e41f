"""PPO's loss (arXiv 1707.06347, eq. 7 and 9, as SB3 has it) and its gradient, by hand."""

from typing import NamedTuple

import torch


class LossSettings(NamedTuple):
    """What weighs the loss, one entry for each model: tensors (S, 1)."""

    clip_range: torch.Tensor
    clip_range_vf: torch.Tensor
    ent_coef: torch.Tensor
    vf_coef: torch.Tensor
    max_grad_norm: torch.Tensor
    target_kl: torch.Tensor


class Samples(NamedTuple):
    """A minibatch of every model, tensors (S, samples)."""

    advantages: torch.Tensor
    returns: torch.Tensor
    old_values: torch.Tensor
    old_log_prob: torch.Tensor


class Gradient(NamedTuple):
    """Derivatives of the loss by what the networks said of each sample, (S, samples)."""

    log_prob: torch.Tensor
    value: torch.Tensor


class Losses(NamedTuple):
    """What SB3 logs of a minibatch, each (S,)."""

    policy: torch.Tensor
    value: torch.Tensor
    kl: torch.Tensor
    clip_fraction: torch.Tensor


def clipped_loss(
    log_prob: torch.Tensor,
    value: torch.Tensor,
    samples: Samples,
    settings: LossSettings,
    normalise: bool,
    clip_value: bool,
) -> tuple[Gradient, Losses]:
    """The policy's and the value's part; the entropy's is `entropy_gradient`."""
    count = log_prob.shape[1]
    advantages = samples.advantages
    if normalise and count > 1:
        std, mean = torch.std_mean(advantages, dim=1, keepdim=True)
        advantages = (advantages - mean).div_(std.add_(1e-8))
    log_ratio = log_prob - samples.old_log_prob
    ratio = log_ratio.exp()
    beyond = ratio - 1
    clip = settings.clip_range
    clipped = torch.minimum(torch.maximum(beyond, -clip), clip).add_(1)
    free, bound = advantages * ratio, clipped.mul_(advantages)
    # where both are equal nothing is clipped, and the gradient is that of the free one
    by_log_prob = free * (free <= bound)
    policy = -torch.minimum(free, bound).mean(1)
    kl = (beyond - log_ratio).mean(1)
    clip_fraction = (beyond.abs() > clip).to(value.dtype).mean(1)
    predicted, inside = value, None
    if clip_value:
        moved = value - samples.old_values
        limit = settings.clip_range_vf
        inside = moved.abs() <= limit
        predicted = samples.old_values + torch.minimum(torch.maximum(moved, -limit), limit)
    error = predicted - samples.returns
    losses = Losses(policy, error.square().mean(1), kl, clip_fraction)
    by_value = error * (settings.vf_coef * (2 / count))
    if inside is not None:
        by_value *= inside
    return Gradient(by_log_prob.mul_(-1 / count), by_value), losses


def entropy_gradient(log_probs: torch.Tensor, probs: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Entropies (rows,) of distributions (A, rows), and minus their gradient by the logits."""
    surprise = log_probs * probs
    entropy = surprise.sum(0).neg_()
    return entropy, surprise.addcmul_(probs, entropy)
