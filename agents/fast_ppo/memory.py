"""How much memory a rollout takes, and whether it is there."""

import torch

from myopia.common import memory

SAMPLE = 480
"""Bytes for one step of one env: what happened, advantages, orders, and copies while they are made.

Measured; on a CPU it is 350 to 480, and a test holds it.
"""


def bytes_of_rollout(envs: int, steps: int, rows: int | None, entries: int, widths: int) -> int:
    """Bytes that a model with `envs` lifetimes needs, at most.

    `rows` are the distinct observations there can be (None: each sample is worked out by itself),
    `entries` those of an observation, `widths` the sum of all layers' widths.
    """
    samples = envs * steps
    distinct = samples if rows is None else min(rows, samples)
    return samples * SAMPLE + distinct * 4 * (entries + widths)


def check_memory(
    models: int,
    envs: int,
    steps: int,
    rows: int | None,
    entries: int,
    widths: int,
    device: torch.device,
) -> None:
    """Raise ValueError naming the largest number of envs where a rollout does not fit."""
    room = free_bytes(device)
    if room is None:
        return
    needed = models * bytes_of_rollout(envs, steps, rows, entries, widths)
    if needed <= room:
        return
    low, high = 0, envs
    while high - low > 1:
        middle = (low + high) // 2
        fits = models * bytes_of_rollout(middle, steps, rows, entries, widths) <= room
        low, high = (middle, high) if fits else (low, middle)
    several = f"{models} models of " if models > 1 else ""
    raise ValueError(
        f"{several}{envs} envs need {needed / 1e9:.1f} GB for a rollout of {steps} steps, and "
        f"{device} has {room / 1e9:.1f} GB free: expected at most {low} envs"
    )


def free_bytes(device: torch.device) -> int | None:
    """Memory that can still be taken on `device`; None where nobody says."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return memory.free_bytes()
