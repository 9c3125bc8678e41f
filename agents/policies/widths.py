"""The widths of a network, read from the shapes of its weights."""

from collections.abc import Mapping

import torch


def layer_widths(weights: Mapping[str, torch.Tensor], network: str, inputs: int) -> list[int]:
    """Outputs of each linear layer of the SB3 network of this name; [] where it has none.

    SB3 puts an activation after each layer, so layers are at 0, 2, 4 and so on. Raises ValueError
    where the first does not take `inputs`, or one not what the layer before it gives: a network is
    built from these widths only once they are known to belong together.
    """
    widths: list[int] = []
    while (name := f"{network}.{2 * len(widths)}.weight") in weights:
        shape = tuple(weights[name].shape)
        expected = widths[-1] if widths else inputs
        if len(shape) != 2 or shape[1] != expected:
            raise ValueError(f"{name} has the shape {shape}, expected {expected} columns")
        widths.append(shape[0])
    return widths
