"""The canonical form: one representative of all networks that the symmetries make equal."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from myopia.superposition.audit.network import Layer, Network
from myopia.superposition.metrics.arrays import nonzero

PARALLEL = 1e-9
"""Unit vectors closer than this, entry by entry, are the same."""


def canonical(network: Network) -> Network:
    """The network in canonical form; its function stays.

    Logits are centred; units that reach no output are dropped, constant units folded into the
    next bias, units with parallel inputs merged; then ReLU units get outgoing norm 1, from the
    last layer to the first, tanh units a sign, and all are sorted. A linear bottleneck W2 W1
    becomes the upper triangular root of |W2 W1|, so that a tied one stays tied.
    """
    if network.head == "categorical":
        last = network.layers[-1]
        centred = replace(
            last, weight=last.weight - last.weight.mean(0), bias=last.bias - last.bias.mean()
        )
        network = network.with_layers(len(network.layers) - 1, centred)
    width = None
    while width != (width := [len(layer.bias) for layer in network.layers]):
        for position in network.hidden():
            if network.layers[position].activation != "linear":
                network = _merged(_folded(network, position), position)
        for position in reversed(network.hidden()):
            if network.layers[position].activation != "linear":
                network = _dropped(network, position)
    for position in reversed(network.hidden()):
        network = _scaled(network, position)
    for position in network.hidden():
        network = _sorted(network, position)
    return network


def _folded(network: Network, position: int) -> Network:
    """Units without incoming weights are constants: move what they send into the next bias."""
    layer, after = network.layers[position], network.layers[position + 1]
    constant = ~layer.weight.any(1)
    values = layer(layer.weight.new_zeros(1, layer.weight.shape[1]))[0]
    sent = after.weight[:, constant] @ values[constant]
    return _kept(network, position, ~constant, replace(after, bias=after.bias + sent))


def _merged(network: Network, position: int) -> Network:
    """Units whose (weights, bias) are parallel become one, that sends their sum."""
    layer, after = network.layers[position], network.layers[position + 1]
    incoming = torch.cat([layer.weight, layer.bias.unsqueeze(1)], dim=1)
    if layer.activation == "tanh":  # tanh(-x) = -tanh(x): the same unit up to its sign
        sign = _first_large_sign(incoming)
        size = torch.ones_like(sign)
    else:
        sign = torch.ones(len(incoming), dtype=torch.float64)
        size = nonzero(torch.linalg.vector_norm(incoming, dim=1))
    direction = incoming * (sign / size).unsqueeze(1)
    same = (direction.unsqueeze(0) - direction.unsqueeze(1)).abs().amax(-1) <= PARALLEL
    leader = _first(same)
    weight = after.weight.clone()
    kept = leader == torch.arange(len(leader))
    for unit in torch.nonzero(~kept).flatten().tolist():
        first = leader[unit]
        ratio = size[unit] * sign[unit] / (size[first] * sign[first])
        weight[:, first] += ratio * after.weight[:, unit]
    return _kept(network, position, kept, replace(after, weight=weight))


def _dropped(network: Network, position: int) -> Network:
    """Units that send nothing, up to rounding, go."""
    after = network.layers[position + 1]
    sent = torch.linalg.vector_norm(after.weight, dim=0)
    return _kept(network, position, sent > 1e-13 * sent.max(), after)


def _scaled(network: Network, position: int) -> Network:
    layer, after = network.layers[position], network.layers[position + 1]
    if layer.activation == "linear":
        return _rooted(network, position)
    if layer.activation == "relu":
        scale = nonzero(torch.linalg.vector_norm(after.weight, dim=0))
    else:
        scale = _first_large_sign(after.weight.T)
    scaled = replace(layer, weight=layer.weight * scale.unsqueeze(1), bias=layer.bias * scale)
    return network.with_layers(position, scaled, replace(after, weight=after.weight / scale))


def _rooted(network: Network, position: int) -> Network:
    """W2 W1 = M with W1ᵀ W1 = (Mᵀ M)^(1/2) and W1 upper triangular with positive diagonal."""
    layer, after = network.layers[position], network.layers[position + 1]
    both = after.weight @ layer.weight
    _, values, right = torch.linalg.svd(both, full_matrices=False)
    kept = values > 1e-12 * values.max()
    root = torch.linalg.qr(values[kept].sqrt().unsqueeze(1) * right[kept]).R
    diagonal = root.diagonal()
    root = root * torch.where(diagonal < 0, -1.0, 1.0).unsqueeze(1)
    bias = after.bias + after.weight @ layer.bias
    first = Layer(root, bias.new_zeros(len(root)), "linear")
    second = replace(after, weight=both @ torch.linalg.pinv(root), bias=bias)
    return network.with_layers(position, first, second)


def _sorted(network: Network, position: int) -> Network:
    """Units by their incoming weights and bias, the first feature first."""
    layer, after = network.layers[position], network.layers[position + 1]
    if layer.activation == "linear":
        return network
    incoming = torch.cat([layer.weight, layer.bias.unsqueeze(1)], dim=1)
    keys = (incoming / nonzero(incoming.abs().max())).numpy().round(9)
    order = torch.from_numpy(np.lexsort(keys.T[::-1]))
    resorted = replace(after, weight=after.weight[:, order])
    return network.with_layers(position, layer.rows(order), resorted)


def _first_large_sign(rows: Tensor) -> Tensor:
    """Sign of the first entry of each row that is as large as its largest, up to rounding."""
    size = rows.abs()
    first = _first(size >= size.amax(1, keepdim=True) * (1 - 1e-6))
    return torch.where(rows[torch.arange(len(rows)), first] < 0, -1.0, 1.0).double()


def _first(marks: Tensor) -> Tensor:
    """Position of the first True in each row."""
    return torch.from_numpy(marks.numpy().argmax(1))  # numpy promises the first, torch does not


def _kept(network: Network, position: int, kept: Tensor, after: Layer) -> Network:
    """Only the units `kept` of a layer; of an empty layer one unit remains, with weights zero."""
    layer = network.layers[position]
    if not bool(kept.any()):
        kept = torch.arange(len(kept)) == 0
        layer = replace(layer, weight=0 * layer.weight, bias=0 * layer.bias)
        after = replace(after, weight=0 * after.weight)
    rest = replace(after, weight=after.weight[:, kept])
    return network.with_layers(position, layer.rows(kept), rest)
