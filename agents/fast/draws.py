"""The random draws of a training: which action, and in which order the samples are learned from.

They are a function of (seed, rollout) alone, so that a model draws the same whether it is trained
alone or beside others, in one go or resumed.
"""

import numpy as np
import torch

ACTIONS, ORDERS = range(2)


def uniforms(
    seed: int, rollout: int, steps: int, num_envs: int, device: torch.device
) -> torch.Tensor:
    """One draw from [0, 1) for each action of a rollout, (steps, num_envs) float32."""
    generator = _generator(seed, rollout, ACTIONS, device)
    return torch.rand(steps, num_envs, generator=generator, device=device)


def orders(
    seed: int, rollout: int, epochs: int, samples: int, device: torch.device
) -> torch.Tensor:
    """A permutation of the samples for each epoch, (epochs, samples) int64.

    Sample `step * num_envs + env` is what env did at that step of the rollout.
    """
    generator = _generator(seed, rollout, ORDERS, device)
    return torch.stack(
        [torch.randperm(samples, generator=generator, device=device) for _ in range(epochs)]
    )


def _generator(seed: int, rollout: int, stream: int, device: torch.device) -> torch.Generator:
    state = np.random.SeedSequence([seed, rollout, stream]).generate_state(1, np.uint64)
    return torch.Generator(device).manual_seed(int(state[0] >> np.uint64(1)))
