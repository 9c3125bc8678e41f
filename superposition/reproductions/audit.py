"""Targets of the metrics' audit: what a change of scale does to a ReLU net."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import torch

from myopia.superposition.audit import (
    Layer,
    Network,
    function_change,
    read,
    scale_first_weights,
    scale_units,
    worst_scaling,
)
from myopia.superposition.audit.table import SAME_FUNCTION, SAME_METRIC, moved, typical
from myopia.superposition.metrics.metric import METRICS
from myopia.superposition.reproductions.reproduction import ReproductionRow, reproduction

SCALE = 3.0
WIDEST = 30.0
"""Neurons are scaled by factors between 1 / WIDEST and WIDEST."""


@reproduction(source="algebra of ReLU networks")
def audit(exact_only: bool) -> Iterator[ReproductionRow]:
    """What rescaling does to the metrics of a network."""
    yield from scale_of_a_layer()
    yield from scale_of_each_neuron()
    yield from scale_without_biases()


def scale_of_a_layer(seed: int = 0) -> Iterator[ReproductionRow]:
    """W1 → cW1, b1 → cb1, W2 → W2/c: the function stays, features per dimension do not."""
    network, inputs = relu_policy(seed)
    scale = torch.full((len(network.layers[0].bias),), SCALE, dtype=torch.float64)
    after = scale_units(network, 0, scale)
    yield from _compare("one scale per layer", network, after, inputs, c=SCALE)


def scale_without_biases(seed: int = 0) -> Iterator[ReproductionRow]:
    """W1 → cW1 alone, no biases at all: the order of the outputs stays, the policy does not."""
    network, inputs = relu_policy(seed)
    bare = replace(
        network, layers=tuple(replace(n, bias=torch.zeros_like(n.bias)) for n in network.layers)
    )
    after = scale_first_weights(bare, SCALE)
    kept = torch.equal(bare(inputs).argsort(-1), after(inputs).argsort(-1))
    change = function_change(bare, inputs, after)
    yield ReproductionRow(
        "W1 scaled, no biases: order of the outputs kept, probabilities not",
        "kept, moved",
        f"{'kept' if kept else 'moved'}, moved by {change:.3f}",
        "exact",
        "exact",
        kept and change > SAME_FUNCTION,
    )
    yield from _compare("W1 scaled, no biases", bare, after, inputs, c=SCALE, same_function=False)


def scale_of_each_neuron(seed: int = 0) -> Iterator[ReproductionRow]:
    """A different positive scale per neuron: only the functional dimensionality stays."""
    network, inputs = relu_policy(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    units = len(network.layers[0].bias)
    exponent = 2 * torch.rand(units, generator=generator, dtype=torch.float64) - 1
    scale = WIDEST**exponent
    after = scale_units(network, 0, scale)
    yield from _compare("one scale per neuron", network, after, inputs, c=None)
    attack = worst_scaling(network, inputs, 0, "dormant ratio")
    yield ReproductionRow(
        "one scale per neuron, by search: dormant ratio",
        "0 to at least .5",
        f"{attack.before:.3f} to {attack.after:.3f}, function moved {attack.function_change:.0e}",
        "function within 1e-10",
        "exact",
        attack.before == 0 and attack.after >= 0.5 and attack.function_change <= SAME_FUNCTION,
    )


def relu_policy(seed: int) -> tuple[Network, torch.Tensor]:
    """A ReLU policy of 24 features and 3 actions with no dormant neuron, and inputs.

    Its layers are narrower than the features are many, so that the functional dimensionality is
    below 1 and could move.
    """
    generator = torch.Generator().manual_seed(seed)
    sizes = (24, 16, 16, 3)
    layers = []
    for ins, outs in pairwise(sizes):
        weight = torch.randn(outs, ins, generator=generator, dtype=torch.float64) / ins**0.5
        bias = 0.1 * torch.randn(outs, generator=generator, dtype=torch.float64)
        layers.append(Layer(weight, bias, "relu"))
    layers[-1] = replace(layers[-1], activation="linear")
    inputs = torch.randn(1024, sizes[0], generator=generator, dtype=torch.float64)
    return Network(tuple(layers), "categorical"), inputs


def _compare(
    name: str,
    before: Network,
    after: Network,
    inputs: torch.Tensor,
    c: float | None,
    same_function: bool = True,
) -> Iterator[ReproductionRow]:
    """A row per metric of the first layer; with one scale c, else with one for each neuron."""
    if same_function:
        change = function_change(before, inputs, after)
        yield ReproductionRow(
            f"{name}: total variation of the policy",
            "0",
            f"{change:.0e}",
            "1e-10",
            "exact",
            change <= SAME_FUNCTION,
        )
    old, new = read(before, inputs, 0), read(after, inputs, 0)
    same = {"D_i", "functional D_i", "dormant ratio", "srank"} if c else {"functional D_i"}
    metrics = ["dimensions per feature", "D_i", "functional D_i", "srank"]
    if c:  # scales drawn at random need not put a neuron to sleep: there the search has its row
        metrics.append("dormant ratio")
    for metric in metrics:
        first, second = METRICS[metric](old), METRICS[metric](new)
        assert first is not None
        assert second is not None
        ours = f"{typical(first):.4g} to {typical(second):.4g}"
        if metric in same:
            far = moved(first, second)
            yield ReproductionRow(
                f"{name}: {metric}", "same", ours, f"{SAME_METRIC:g}", "exact", far <= SAME_METRIC
            )
        elif c:
            gap = abs(typical(second) / typical(first) * c**2 - 1)
            yield ReproductionRow(
                f"{name}: {metric}", f"x 1/{c:g}²", ours, "1e-09", "exact", gap <= 1e-9
            )
        else:
            far = moved(first, second)
            yield ReproductionRow(
                f"{name}: {metric}", "moves", ours, "", "exact", far > SAME_METRIC
            )
