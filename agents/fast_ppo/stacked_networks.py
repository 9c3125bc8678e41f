"""Both networks of several models on a GPU: one batched product for all models.

The rows of the models are equally many. Interface and layout are those of `JointNetworks`.
"""

from collections.abc import Sequence

import torch

from myopia.agents.fast_ppo.flat_parameters import FlatParameters
from myopia.agents.fast_ppo.layout import Spans
from myopia.agents.fast_ppo.networks import Towers

PIECE = 256
"""Rows that one product of a gradient sums over."""


class StackedNetworks:
    """Linear layers with tanh between them, `towers` on the models' common parameters."""

    def __init__(self, parameters: FlatParameters, towers: Towers) -> None:
        self._policy, self._value = (_Chain(parameters, names) for names in towers)

    def logits(self, x: torch.Tensor, spans: Spans) -> torch.Tensor:
        """The policies' logits alone, (A, rows), for observations (rows, D)."""
        return _across(self._policy.forward(x))

    def forward(self, x: torch.Tensor, spans: Spans) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (A, rows) and values (rows,) for observations (rows, D)."""
        return _across(self._policy.forward(x)), self._value.forward(x).flatten()

    def backward(self, by_logit: torch.Tensor, by_value: torch.Tensor) -> None:
        """Write the gradients of the weights, from those of what `forward` returned last."""
        self._policy.backward(by_logit.T.contiguous())
        self._value.backward(by_value[:, None])


def _across(y: torch.Tensor) -> torch.Tensor:
    """(rows, A) -> (A, rows)."""
    return y.T.contiguous()


class _Chain:
    """One network of every model."""

    def __init__(self, parameters: FlatParameters, names: Sequence[str]) -> None:
        self._layers = [_Layer(parameters, name) for name in names]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (rows, out) for observations (rows, D)."""
        self._inputs = [x]
        for layer in self._layers[:-1]:
            x = layer.forward(x).tanh_()
            self._inputs.append(x)
        return self._layers[-1].forward(x)

    def backward(self, gradient: torch.Tensor) -> None:
        """Write the gradients of the weights, from that of what `forward` returned last."""
        for number in reversed(range(len(self._layers))):
            layer, x = self._layers[number], self._inputs[number]
            layer.learn(gradient, x)
            if number:
                gradient = torch.ops.aten.tanh_backward(layer.back(gradient), x)


class _Layer:
    """One linear layer of every model."""

    def __init__(self, parameters: FlatParameters, name: str) -> None:
        self.weight, self.weight_gradient = parameters.of(f"{name}.weight")
        self.bias, self.bias_gradient = parameters.of(f"{name}.bias")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The layer's output."""
        return torch.baddbmm(self.bias[:, None], self._stack(x), self.weight.mT).flatten(0, 1)

    def learn(self, gradient: torch.Tensor, x: torch.Tensor) -> None:
        """Write the gradients of weight and bias."""
        # one product over all rows of a model would keep a few processors busy, and no other
        parts = _parts(len(x) // len(self.weight))
        pieces = (len(self.weight) * parts, -1)
        products = torch.bmm(gradient.unflatten(0, pieces).mT, x.unflatten(0, pieces))
        torch.sum(products.unflatten(0, (-1, parts)), 1, out=self.weight_gradient)
        torch.sum(self._stack(gradient), 1, out=self.bias_gradient)

    def back(self, gradient: torch.Tensor) -> torch.Tensor:
        """The gradient of the layer's input."""
        return torch.bmm(self._stack(gradient), self.weight).flatten(0, 1)

    def _stack(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(0, (len(self.weight), -1))


def _parts(rows: int) -> int:
    """Into how many equal parts rows are cut, each of at most PIECE where they can be halved."""
    parts = 1
    while rows // parts > PIECE and rows % (2 * parts) == 0:
        parts *= 2
    return parts
