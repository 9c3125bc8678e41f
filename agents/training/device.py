"""Where to train: on the CPU, or on a CUDA device where that is faster."""

import itertools

import torch

from myopia.agents.algorithms.base import Algorithm

DEVICES = ("auto", "cpu", "cuda")

LARGE = 1 << 28
"""Multiplications between hidden layers, in a minibatch, from which on a GPU may be worth it."""


def choose_device(device: str, settings: Algorithm) -> tuple[str, str]:
    """The device that `device` (auto, cpu or cuda) means for these settings, and why.

    `auto` prefers the CPU for networks and batches as small as the presets': SB3 then waits for
    Python, and a GPU would add a launch to every small kernel. Raises ValueError where the device
    is not there.
    """
    if device not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}, got {device!r}")
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise ValueError("device cuda: this machine's torch sees no CUDA device, expected cpu")
    if device != "auto":
        return device, "as asked"
    if not there:
        return "cpu", "this machine's torch sees no CUDA device"
    widths = settings.hidden
    products = sum(a * b for a, b in itertools.pairwise(widths))
    work = products * getattr(settings, "batch_size", settings.num_envs)
    if work < LARGE:
        return "cpu", f"{work:.0e} multiplications in a minibatch are too few for a GPU"
    return "cuda", f"{work:.0e} multiplications in a minibatch"
