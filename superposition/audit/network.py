"""Plain networks: what the audit is handed, and how a layer of one is read."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from myopia.superposition.metrics.metric import Reading
from myopia.superposition.readout import decoded_map, feature_directions, standardise

ACTIVATIONS = {"linear": lambda x: x, "relu": torch.relu, "tanh": torch.tanh}


@dataclass(frozen=True)
class Layer:
    """`activation(weight x + bias)`: weight (out, in), bias (out,), both float64."""

    weight: Tensor
    bias: Tensor
    activation: Literal["linear", "relu", "tanh"]

    def __call__(self, x: Tensor) -> Tensor:
        """(samples, in) -> (samples, out)."""
        return ACTIVATIONS[self.activation](x @ self.weight.T + self.bias)

    def rows(self, index: Tensor) -> "Layer":
        """The layer with the units `index`, in that order."""
        return replace(self, weight=self.weight[index], bias=self.bias[index])


@dataclass(frozen=True)
class Network:
    """Layers in a row; all but the last are hidden.

    With `head="categorical"` the outputs are logits, and the function is the probabilities; with
    `head="values"` it is the outputs themselves. `tied` says that the network must remain one
    linear bottleneck whose last weight is the transpose of the first.
    """

    layers: tuple[Layer, ...]
    head: Literal["categorical", "values"] = "values"
    tied: bool = False

    def __call__(self, inputs: Tensor) -> Tensor:
        """Inputs (samples, in) -> logits or outputs (samples, out)."""
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs

    def hidden(self) -> range:
        """The positions of the hidden layers."""
        return range(len(self.layers) - 1)

    def activations(self, inputs: Tensor, position: int) -> Tensor:
        """(samples, units) of the hidden layer at `position`."""
        for layer in self.layers[: position + 1]:
            inputs = layer(inputs)
        return inputs

    def onward(self, hidden: Tensor, position: int) -> Tensor:
        """Activations (..., units) of the hidden layer at `position` -> outputs (..., out)."""
        for layer in self.layers[position + 1 :]:
            hidden = layer(hidden)
        return hidden

    def with_layers(self, position: int, *layers: Layer) -> "Network":
        """The network with `layers` in the place of those from `position` on."""
        rest = self.layers[position + len(layers) :]
        return replace(self, layers=(*self.layers[:position], *layers, *rest))


def function_change(
    before: Network, inputs: Tensor, after: Network, new_inputs: Tensor | None = None
) -> float:
    """How far the function moved: largest total variation, or largest gap between outputs.

    The gap is relative to the largest output where that is above 1.
    """
    old, new = before(inputs), after(inputs if new_inputs is None else new_inputs)
    if before.head == "categorical":
        return float((old.softmax(-1) - new.softmax(-1)).abs().sum(-1).max() / 2)
    return float((old - new).abs().max() / old.abs().max().clamp_min(1))


def standardised(network: Network, inputs: Tensor) -> tuple[Network, Tensor]:
    """The same function of inputs (samples, n_features) with mean 0 and standard deviation 1."""
    scaled, mean, spread = standardise(inputs)
    first = network.layers[0]
    folded = replace(first, weight=first.weight * spread, bias=first.bias + first.weight @ mean)
    return replace(network.with_layers(0, folded), tied=False), scaled


def read(network: Network, inputs: Tensor, position: int) -> Reading:
    """What there is to measure in the hidden layer at `position`.

    The features are the inputs (samples, n_features). A linear first layer is read by its
    weights: columns are W1, and decoded features W2 W1. Any other is read by regression of its
    activations on the inputs.

    Raises:
        ValueError: the inputs are collinear.
    """
    activations = network.activations(inputs, position)
    layer = network.layers[position]
    if position == 0 and layer.activation == "linear":
        columns = layer.weight
        decoded = network.layers[1].weight @ columns
    else:
        columns = feature_directions(inputs, activations)
        decoded = decoded_map(inputs, activations)
    return Reading(columns, decoded, activations, layer.activation)


def network_of_modules(
    modules: Iterable[nn.Module], head: Literal["categorical", "values"]
) -> Network:
    """The Linear, ReLU and Tanh modules of one tower, in order, as a network in float64.

    Raises:
        ValueError: another kind of module, or an activation that follows no Linear.
    """
    layers: list[Layer] = []
    for module in modules:
        if isinstance(module, nn.Linear):
            weight = module.weight.detach().double().cpu().clone()
            bias = weight.new_zeros(len(weight))
            if module.bias is not None:
                bias = module.bias.detach().double().cpu().clone()
            layers.append(Layer(weight, bias, "linear"))
        elif isinstance(module, nn.ReLU | nn.Tanh) and layers:
            name = "relu" if isinstance(module, nn.ReLU) else "tanh"
            layers[-1] = replace(layers[-1], activation=name)
        elif not isinstance(module, nn.Flatten | nn.Identity):
            raise ValueError(
                f"only Linear, ReLU and Tanh in a row can be read, but there is {module}"
            )
    return Network(tuple(layers), head)
