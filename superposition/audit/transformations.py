"""Changes of the weights that leave the function as it is, and a few that are often taken to.

A transformation takes (network, inputs, generator) to (network, inputs). Those of hidden layers
act on all hidden layers that admit them. `kind` says what stays: `function`, the `order` of the
outputs only (a sampling policy changes), or the function once the `data` is changed with it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Generator, Tensor

from myopia.superposition.audit.network import Layer, Network


@dataclass(frozen=True)
class Transformation:
    """A named change, what it leaves alone, and which networks admit it."""

    name: str
    kind: Literal["function", "order", "data"]
    admits: Callable[[Network], bool]
    apply: Callable[[Network, Tensor, Generator], tuple[Network, Tensor]]


def scale_units(network: Network, position: int, scale: Tensor) -> Network:
    """Multiply units by `scale` (units,) and undo it in the next layer.

    The function stays if the scale is positive in a ReLU layer, or 1 and -1 in a tanh layer.
    """
    layer, after = network.layers[position], network.layers[position + 1]
    scaled = replace(layer, weight=layer.weight * scale.unsqueeze(1), bias=layer.bias * scale)
    return network.with_layers(position, scaled, replace(after, weight=after.weight / scale))


def scale_first_weights(network: Network, scale: float) -> Network:
    """W1 -> c W1 and nothing else: in a ReLU net without biases, the order of the outputs stays."""
    first = network.layers[0]
    return network.with_layers(0, replace(first, weight=first.weight * scale))


def _permute(network: Network, inputs: Tensor, generator: Generator):
    def change(layer: Layer, after: Layer):
        order = torch.randperm(len(layer.bias), generator=generator)
        return layer.rows(order), replace(after, weight=after.weight[:, order])

    return _everywhere(network, change), inputs


def _flip(network: Network, inputs: Tensor, generator: Generator):
    for position in network.hidden():
        units = len(network.layers[position].bias)
        sign = torch.randint(2, (units,), generator=generator).double() * 2 - 1
        network = scale_units(network, position, sign)
    return network, inputs


def _scale_layers(network: Network, inputs: Tensor, generator: Generator):
    for position in network.hidden():
        scale = _log_uniform(generator, 1, spread=8).expand(len(network.layers[position].bias))
        network = scale_units(network, position, scale)
    return network, inputs


def _scale_neurons(network: Network, inputs: Tensor, generator: Generator):
    for position in network.hidden():
        scale = _log_uniform(generator, len(network.layers[position].bias), spread=30)
        network = scale_units(network, position, scale)
    return network, inputs


def _rotate(network: Network, inputs: Tensor, generator: Generator):
    return _mix(network, _orthogonal(generator, len(network.layers[0].bias))), inputs


def _mix_linearly(network: Network, inputs: Tensor, generator: Generator):
    size = len(network.layers[0].bias)
    scale = _log_uniform(generator, size, spread=8)
    return _mix(
        network, _orthogonal(generator, size) * scale @ _orthogonal(generator, size)
    ), inputs


def _split(network: Network, inputs: Tensor, generator: Generator):
    def change(layer: Layer, after: Layer):
        units = len(layer.bias)
        chosen = int(torch.randint(units, (), generator=generator))
        share = float(torch.rand((), generator=generator, dtype=torch.float64))
        out = torch.cat([after.weight, (1 - share) * after.weight[:, [chosen]]], dim=1)
        out[:, chosen] *= share
        twice = torch.cat([torch.arange(units), torch.tensor([chosen])])
        return layer.rows(twice), replace(after, weight=out)

    return _everywhere(network, change), inputs


def _add_silent(network: Network, inputs: Tensor, generator: Generator):
    def change(layer: Layer, after: Layer):
        units, width = layer.weight.shape
        new = max(1, units // 8)
        weight = _normal(generator, new, width)
        bias = _normal(generator, new) if bool(layer.bias.any()) else layer.bias.new_zeros(new)
        grown = replace(
            layer, weight=torch.cat([layer.weight, weight]), bias=torch.cat([layer.bias, bias])
        )
        silent = after.weight.new_zeros(len(after.weight), new)
        return grown, replace(after, weight=torch.cat([after.weight, silent], dim=1))

    return _everywhere(network, change), inputs


def _shift_logits(network: Network, inputs: Tensor, generator: Generator):
    last = network.layers[-1]
    return _with_last(network, replace(last, bias=last.bias + _normal(generator, 1))), inputs


def _shift_logits_by_state(network: Network, inputs: Tensor, generator: Generator):
    last = network.layers[-1]
    weight = last.weight + _normal(generator, last.weight.shape[1])
    return _with_last(network, replace(last, weight=weight)), inputs


def _scale_logits(network: Network, inputs: Tensor, generator: Generator):
    last = network.layers[-1]
    scale = 1 + _log_uniform(generator, 1, spread=3)
    scaled = replace(last, weight=last.weight * scale, bias=last.bias * scale)
    return _with_last(network, scaled), inputs


def _scale_first(network: Network, inputs: Tensor, generator: Generator):
    return scale_first_weights(network, 1 + float(_log_uniform(generator, 1, spread=3))), inputs


def _change_units(network: Network, inputs: Tensor, generator: Generator):
    unit = _log_uniform(generator, inputs.shape[1], spread=10)
    first = network.layers[0]
    return network.with_layers(0, replace(first, weight=first.weight / unit)), inputs * unit


def _everywhere(network: Network, change: Callable[[Layer, Layer], tuple[Layer, Layer]]) -> Network:
    """`change` a hidden layer and the one after it, from the first hidden layer to the last."""
    for position in network.hidden():
        pair = network.layers[position : position + 2]
        network = network.with_layers(position, *change(*pair))
    return network


def _with_last(network: Network, last: Layer) -> Network:
    return network.with_layers(len(network.layers) - 1, last)


def _mix(network: Network, matrix: Tensor) -> Network:
    first, after = network.layers
    mixed = replace(first, weight=matrix @ first.weight, bias=matrix @ first.bias)
    out = torch.linalg.solve(matrix, after.weight, left=False)
    return network.with_layers(0, mixed, replace(after, weight=out))


def _normal(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def _log_uniform(generator: Generator, size: int, spread: float) -> Tensor:
    """(size,) numbers between 1 / spread and spread."""
    exponent = 2 * torch.rand(size, generator=generator, dtype=torch.float64) - 1
    return (exponent * math.log(spread)).exp()


def _orthogonal(generator: Generator, size: int) -> Tensor:
    return torch.linalg.qr(_normal(generator, size, size)).Q


def _hidden_are(*activations: str) -> Callable[[Network], bool]:
    return lambda network: (
        not network.tied and all(n.activation in activations for n in network.layers[:-1])
    )


def _bottleneck(tied: bool) -> Callable[[Network], bool]:
    return lambda network: (
        network.tied == tied
        and len(network.layers) == 2
        and network.layers[0].activation == "linear"
    )


def _without_biases(network: Network) -> bool:
    scalable = all(layer.activation in ("relu", "linear") for layer in network.layers)
    return scalable and not network.tied and not any(bool(n.bias.any()) for n in network.layers)


def _categorical(network: Network) -> bool:
    return network.head == "categorical"


ANY_HIDDEN = _hidden_are("linear", "relu", "tanh")

TRANSFORMATIONS = [
    Transformation("permute the units", "function", _hidden_are("relu", "tanh"), _permute),
    Transformation("flip signs", "function", _hidden_are("tanh"), _flip),
    Transformation("one scale per layer", "function", _hidden_are("relu"), _scale_layers),
    Transformation("one scale per neuron", "function", _hidden_are("relu"), _scale_neurons),
    Transformation("rotate the bottleneck", "function", _bottleneck(tied=True), _rotate),
    Transformation("mix the bottleneck", "function", _bottleneck(tied=False), _mix_linearly),
    Transformation("split a neuron", "function", ANY_HIDDEN, _split),
    Transformation("add silent units", "function", ANY_HIDDEN, _add_silent),
    Transformation("shift all logits", "function", _categorical, _shift_logits),
    Transformation("shift all logits by state", "function", _categorical, _shift_logits_by_state),
    Transformation("scale the logits", "order", _categorical, _scale_logits),
    Transformation("scale W1, no biases", "order", _without_biases, _scale_first),
    Transformation("change a feature's unit", "data", lambda n: not n.tied, _change_units),
]
