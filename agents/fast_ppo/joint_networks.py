"""Both networks of several models on a CPU, forward and backward by hand.

A batch is rows of observations, those of model s in rows `spans[s]`. The models' products are
taken one after another: no rows are filled up, and each model's numbers are, bit for bit, those
that it has alone. What has the rows of both networks is worked out for both at once: the first
layer's products, every tanh, every sum of a bias's gradient. Layers write into arrays that are
kept, for a fresh one of this size costs a page fault every 4 kB.

Logits are (A, rows): sums over actions then run along the rows, in a fifth of the time.
"""

from collections.abc import Sequence
from typing import Any

import torch

from myopia.agents.fast_ppo.flat_parameters import FlatParameters
from myopia.agents.fast_ppo.layout import Spans
from myopia.agents.fast_ppo.networks import Towers

ALL = slice(0, None)


class JointNetworks:
    """Linear layers with tanh between them, `towers` on the models' common parameters."""

    def __init__(self, parameters: FlatParameters, towers: Towers) -> None:
        depths = max(len(names) for names in towers) - 1
        self._levels: list[_Level] = []
        for depth in range(depths):
            self._levels.append(_Level(parameters, towers, depth, self._levels))
        self._heads = [
            _Product(parameters, [names[-1]], ALL, *_source(self._levels, tower, len(names) - 1))
            for tower, names in enumerate(towers)
        ]
        self._minus_one = -torch.ones((), dtype=parameters.values.dtype)

    def logits(self, x: torch.Tensor, spans: Spans) -> torch.Tensor:
        """The policies' logits alone, (A, rows), for observations (rows, D)."""
        self._take(x, spans)
        for level in self._levels:
            self._activate(level, level.of_policy, level.policy_columns)
        return self._answer(self._heads[0])

    def forward(self, x: torch.Tensor, spans: Spans) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (A, rows) and values (rows,) for observations (rows, D)."""
        self._take(x, spans)
        for level in self._levels:
            self._activate(level, level.of_both, ALL)
        policy, value = self._heads
        return self._answer(policy), self._answer(value)[0]

    def backward(self, by_logit: torch.Tensor, by_value: torch.Tensor) -> None:
        """Write the gradients of the weights, from those of what `forward` returned last."""
        for level in self._levels:
            level.gradients.grow(len(self._x))
        for head, gradient in zip(self._heads, (by_logit, by_value[None]), strict=True):
            mine = [gradient[:, start:end] for start, end in self._spans]
            for model, part in enumerate(mine):
                torch.sum(part, 1, out=head.bias_gradient[model])
            self._pass_back(head, mine)
        for level in reversed(self._levels):
            output, gradient = level.outputs(ALL, self._whole)[0], level.gradients(ALL, self._whole)
            tanh_backward(gradient[0], output, grad_input=gradient[0])
            for model, part in enumerate(level.gradients(ALL, self._spans)):
                torch.sum(part, 0, out=level.bias_gradient[model])
            for product in level.of_both:
                parts = level.gradients(product.columns, self._spans)
                self._pass_back(product, [part.T for part in parts])

    def _take(self, x: torch.Tensor, spans: Spans) -> None:
        self._x, self._spans, self._whole = x, tuple(spans), ((0, len(x)),)
        for level in self._levels:
            level.outputs.grow(len(x))
        self._xs = [x] if self._spans == self._whole else [x[start:end] for start, end in spans]

    def _activate(self, level: "_Level", products: Sequence["_Product"], columns: slice) -> None:
        for product in products:
            outputs = level.outputs(product.columns, self._spans)
            for x, y, weight, bias in zip(
                self._read(product), outputs, product.weight, product.bias, strict=True
            ):
                torch.addmm(bias, x, weight.T, beta=2, alpha=2, out=y)
        # tanh(y) as 2 / (1 + exp(-2y)) - 1: within 2e-7 of it in float32, and fast everywhere
        h = level.outputs(columns, self._whole)[0]
        torch.sub(self._minus_one, h.sigmoid_(), alpha=-2, out=h)

    def _answer(self, head: "_Product") -> torch.Tensor:
        y = self._x.new_empty(head.weight[0].shape[0], len(self._x))
        for model, ((start, end), x) in enumerate(zip(self._spans, self._read(head), strict=True)):
            torch.addmm(head.bias[model][:, None], head.weight[model], x.T, out=y[:, start:end])
        return y

    def _pass_back(self, product: "_Product", gradients: Sequence[torch.Tensor]) -> None:
        """From the gradients (out, rows) of what a product gave to those of what it took."""
        for gradient, x, out in zip(
            gradients, self._read(product), product.weight_gradient, strict=True
        ):
            torch.mm(gradient, x, out=out)
        if product.source is not None:
            below = product.source.gradients(product.source_columns, self._spans)
            for gradient, weight, out in zip(gradients, product.weight, below, strict=True):
                torch.mm(gradient.T, weight, out=out)

    def _read(self, product: "_Product") -> Sequence[torch.Tensor]:
        if product.source is None:
            return self._xs
        return product.source.outputs(product.source_columns, self._spans)


tanh_backward = torch.ops.aten.tanh_backward.grad_input


class _Product:
    """`weight x + bias` of every model, written into some columns of a level's output.

    It reads some columns of the `source` level's output, or the observations where there is none.
    Layers that read the same side by side are one product.
    """

    def __init__(
        self,
        parameters: FlatParameters,
        names: Sequence[str],
        columns: slice,
        source: "_Level | None",
        source_columns: slice,
    ) -> None:
        weight, weight_gradient = parameters.of(*(f"{name}.weight" for name in names))
        bias, bias_gradient = parameters.of(*(f"{name}.bias" for name in names))
        self.weight, self.weight_gradient = list(weight), list(weight_gradient)
        self.bias, self.bias_gradient = list(bias), list(bias_gradient)
        self.columns, self.source, self.source_columns = columns, source, source_columns


class _Level:
    """The hidden layers of both networks at one depth: the policy's columns, then the value's."""

    def __init__(
        self, parameters: FlatParameters, towers: Towers, depth: int, below: "Sequence[_Level]"
    ) -> None:
        there = [number for number, names in enumerate(towers) if depth < len(names) - 1]
        names = [towers[number][depth] for number in there]
        widths = [parameters.shapes[f"{name}.bias"][0] for name in names]
        self.width, self.columns, start = sum(widths), {}, 0
        for number, width in zip(there, widths, strict=True):
            self.columns[number], start = slice(start, start + width), start + width
        apart = [
            _Product(parameters, [name], self.columns[number], *_source(below, number, depth))
            for number, name in zip(there, names, strict=True)
        ]
        self.of_policy = apart[:1] if 0 in there else []
        self.policy_columns = self.columns.get(0, slice(0, 0))
        # the first ones read the observations: one product
        self.of_both = [_Product(parameters, names, ALL, None, ALL)] if depth == 0 else apart
        self.bias_gradient = list(parameters.of(*(f"{name}.bias" for name in names))[1])
        self.outputs, self.gradients = (_Views(parameters.values, self.width) for _ in range(2))


class _Views:
    """An array (rows, width) that is kept, and grows; calling it gives columns of it by spans.

    The views are kept as well: most minibatches have the same rows.
    """

    MOST = 64

    def __init__(self, like: torch.Tensor, width: int) -> None:
        self._array = like.new_empty(0, width)
        self._found: dict[Any, list[torch.Tensor]] = {}

    def grow(self, rows: int) -> None:
        """Make room for so many rows; what was there is lost where there was none."""
        if len(self._array) < rows:
            self._array = self._array.new_empty(rows, self._array.shape[1])
            self._found.clear()

    def __call__(self, columns: slice, spans: tuple[tuple[int, int], ...]) -> list[torch.Tensor]:
        """The columns of each span's rows."""
        key = columns.start, columns.stop, spans
        found = self._found.get(key)
        if found is not None:
            return found
        if len(self._found) >= self.MOST:
            self._found.clear()
        self._found[key] = [self._array[start:end, columns] for start, end in spans]
        return self._found[key]


def _source(levels: Sequence[_Level], tower: int, depth: int) -> "tuple[_Level | None, slice]":
    """What the layer of a tower at this depth reads."""
    if depth == 0:
        return None, ALL
    return levels[depth - 1], levels[depth - 1].columns[tower]
