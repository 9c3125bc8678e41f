"""The random draws of a training: which action, and in which order the samples are learned from.

They are a function of (seed, rollout) alone, so that a model draws the same whether it is trained
alone or beside others, in one go or resumed. Both are given for one model or for several, whose
draws then lie side by side. On a CPU each model has torch's generator; elsewhere a draw is a hash
of its number, as chance in the worlds is, worked out for all models at once.
"""

from collections.abc import Sequence

import numpy as np
import torch

from myopia.envs.randomness import draw, lifetime_key

ACTIONS, ORDERS = range(2)

Numbers = int | Sequence[int]

_APART = 0x39B3F1E5A2C6D487
"""Keeps keys apart from those of lifetimes, which often are the same seeds."""


def uniforms(
    seeds: Numbers, rollouts: Numbers, steps: int, num_envs: int, device: torch.device
) -> torch.Tensor:
    """One draw from [0, 1) for each action of a rollout, (steps, S * num_envs) float32."""
    models = _models(seeds, rollouts)
    if device.type != "cpu":
        return hashed_uniforms(models, steps, num_envs, device)
    each = [torch.rand(steps, num_envs, generator=_generator(*one, ACTIONS)) for one in models]
    return torch.cat(each, dim=1)


def orders(
    seeds: Numbers, rollouts: Numbers, epochs: int, samples: int, device: torch.device
) -> torch.Tensor:
    """A permutation of each model's samples for each epoch, (epochs, S * samples) int64.

    Sample `step * num_envs + env` is what env did at that step of the rollout.
    """
    models = _models(seeds, rollouts)
    if device.type != "cpu":
        return hashed_orders(models, epochs, samples, device)
    each = []
    for one in models:
        generator = _generator(*one, ORDERS)
        each.append(
            torch.stack([torch.randperm(samples, generator=generator) for _ in range(epochs)])
        )
    return torch.cat(each, dim=1)


def hashed_uniforms(
    models: list[tuple[int, int]], steps: int, num_envs: int, device: torch.device
) -> torch.Tensor:
    """See `uniforms`."""
    drawn = _hashes(models, ACTIONS, steps * num_envs, device).view(-1, steps, num_envs)
    return drawn.transpose(0, 1).flatten(1).bitwise_right_shift(8).float().mul_(2.0**-24)


def hashed_orders(
    models: list[tuple[int, int]], epochs: int, samples: int, device: torch.device
) -> torch.Tensor:
    """See `orders`."""
    drawn = _hashes(models, ORDERS, epochs * samples, device).view(-1, epochs, samples)
    ranks = drawn.transpose(0, 1).bitwise_right_shift(1).int()  # half as long to sort
    return ranks.sort(dim=2, stable=True).indices.flatten(1)


def _models(seeds: Numbers, rollouts: Numbers) -> list[tuple[int, int]]:
    if isinstance(seeds, int) and isinstance(rollouts, int):
        return [(seeds, rollouts)]
    return list(zip(seeds, rollouts, strict=True))  # type: ignore[arg-type]


def _generator(seed: int, rollout: int, stream: int) -> torch.Generator:
    state = np.random.SeedSequence([seed, rollout, stream]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0] >> np.uint64(1)))


def _hashes(
    models: list[tuple[int, int]], stream: int, count: int, device: torch.device
) -> torch.Tensor:
    """Uniform integers below 2**32, (S, count) int64."""
    seeds, numbers = np.array(models, dtype=np.int64).T
    words = torch.from_numpy(np.stack(lifetime_key(seeds ^ _APART, numbers))[:, :, None])
    first, second = words.to(device)
    return draw((first, second), torch.arange(count, device=device), stream)
