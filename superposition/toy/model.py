"""The toy model of superposition, many instances in one tensor.

Source: Elhage et al. 2022, "Toy Models of Superposition", arXiv 2209.10652.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor

from myopia.common.errors import check_at_least


@dataclass(frozen=True)
class Shape:
    """`x' = output(decoder hidden(encoder x) + bias)`, with n_features in and out.

    A hidden ReLU has a bias of its own.
    """

    n_features: int
    d_hidden: int
    decoder: Literal["tied", "untied"] = "tied"
    """Tied: the transpose of the encoder."""
    hidden: Literal["linear", "relu"] = "linear"
    output: Literal["relu", "linear"] = "relu"

    def __post_init__(self):
        check_at_least(self, n_features=1, d_hidden=1)


@dataclass
class ToyModel:
    """Instances of one shape."""

    shape: Shape
    encoder: Tensor
    """(instances, d_hidden, n_features): W, one column per feature."""
    decoder: Tensor | None
    """(instances, n_features, d_hidden), None if tied."""
    bias: Tensor
    """(instances, n_features)."""
    hidden_bias: Tensor | None
    """(instances, d_hidden), None if the hidden layer is linear."""

    @classmethod
    def start(
        cls, shape: Shape, instances: int, generator: Generator, initial_bias: float = 0.0
    ) -> "ToyModel":
        """Xavier-normal weights for each instance, on the generator's device.

        Args:
            shape: of every instance.
            instances: how many.
            generator: of the weights.
            initial_bias: of every hidden ReLU; the biases of the output start at 0.

        Raises:
            ValueError: fewer than one instance.
        """
        if instances < 1:
            raise ValueError(f"instances must be at least 1, but is {instances}")
        n, m, device = shape.n_features, shape.d_hidden, generator.device
        spread = math.sqrt(2 / (n + m))
        encoder = spread * torch.randn(instances, m, n, generator=generator, device=device)
        decoder = None
        if shape.decoder == "untied":
            decoder = spread * torch.randn(instances, n, m, generator=generator, device=device)
        hidden_bias = None
        if shape.hidden == "relu":
            hidden_bias = torch.full((instances, m), initial_bias, device=device)
        return cls(shape, encoder, decoder, torch.zeros(instances, n, device=device), hidden_bias)

    def parameters(self) -> list[Tensor]:
        """What there is to train."""
        every = (self.encoder, self.decoder, self.bias, self.hidden_bias)
        return [parameter for parameter in every if parameter is not None]

    def linear_path(self) -> Tensor:
        """M = decoder encoder, (instances, n_features, n_features), as if nothing were curved."""
        return self._decoder() @ self.encoder

    @torch.no_grad()
    def mean_jacobian(self, x: Tensor) -> Tensor:
        """E[dx'_i / dx_j] over a batch x (instances, n_features, batch), (instances, n, n).

        What the linear path becomes once every ReLU passes only what it passes.
        """
        hidden = self.hidden(x)
        out = torch.baddbmm(self.bias.unsqueeze(-1), self._decoder(), hidden)
        open_out = (out > 0).to(x) if self.shape.output == "relu" else torch.ones_like(out)
        open_hidden = torch.ones_like(hidden)
        if self.shape.hidden == "relu":
            open_hidden = (hidden > 0).to(x)
        together = torch.bmm(open_out, open_hidden.transpose(1, 2)) / x.shape[2]
        return (together * self._decoder()) @ self.encoder

    def __call__(self, x: Tensor) -> Tensor:
        """(instances, n_features, batch) -> the same shape."""
        out = torch.baddbmm(self.bias.unsqueeze(-1), self._decoder(), self.hidden(x))
        return out.relu() if self.shape.output == "relu" else out

    def hidden(self, x: Tensor) -> Tensor:
        """(instances, n_features, batch) -> (instances, d_hidden, batch)."""
        if self.hidden_bias is None:
            return torch.bmm(self.encoder, x)
        return torch.baddbmm(self.hidden_bias.unsqueeze(-1), self.encoder, x).relu()

    def _decoder(self) -> Tensor:
        return self.encoder.transpose(1, 2) if self.decoder is None else self.decoder
