"""Tensors from a device into numpy, all in one transfer: the CPU waits once, however many."""

from collections.abc import Sequence

import numpy as np
import torch


def fetch(tensors: Sequence[torch.Tensor]) -> list[np.ndarray]:
    """The tensors, all of one device, as arrays; from a CPU they share its memory."""
    if tensors[0].device.type == "cpu":
        return [tensor.numpy() for tensor in tensors]
    packed = pack(tensors)
    if not packed.is_cuda:
        return unpack(packed.cpu(), tensors)
    here = packed.to("cpu", non_blocking=True)  # into memory that the device writes by itself
    torch.cuda.current_stream(packed.device).synchronize()
    return unpack(here, tensors)


def pack(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """The bytes of all of them, one after another."""
    return torch.cat([tensors[i].reshape(-1).view(torch.uint8) for i in _order(tensors)])


def unpack(packed: torch.Tensor, like: Sequence[torch.Tensor]) -> list[np.ndarray]:
    """Arrays shaped and typed as these tensors, whose `pack` is now on the CPU."""
    arrays, start = {}, 0
    for i in _order(like):
        end = start + like[i].numel() * like[i].element_size()
        arrays[i] = packed[start:end].view(like[i].dtype).view(like[i].shape).numpy()
        start = end
    return [arrays[i] for i in range(len(like))]


def _order(tensors: Sequence[torch.Tensor]) -> list[int]:
    """Widest numbers first, so that each array begins where its type may begin."""
    return sorted(range(len(tensors)), key=lambda i: -tensors[i].element_size())
