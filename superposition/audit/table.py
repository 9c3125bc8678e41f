"""The audit: every metric under every transformation that a network admits."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from myopia.common.search_path import safe_imports
from myopia.superposition.audit.canonical import canonical
from myopia.superposition.audit.network import Network, function_change, read, standardised
from myopia.superposition.audit.transformations import TRANSFORMATIONS
from myopia.superposition.metrics.metric import METRICS

SAME_FUNCTION = 1e-10
SAME_METRIC = 1e-6


@dataclass(frozen=True)
class AuditRow:
    """One metric of one layer under one transformation."""

    network: str
    layer: int
    """Which hidden layer, from 1."""
    transformation: str
    kind: str
    """`function`, `order` or `data`: see `transformations`."""
    metric: str
    before: float
    """The metric, as its mean over features where it has one value for each."""
    after: float
    canonical: float
    """The metric of the canonical form on standardised features, before the change."""
    function_change: float
    moved: float
    """Largest change of the metric as a share of its size: 0 to 1 for one that keeps its sign."""
    moved_canonical: float
    """The same between the canonical forms of the networks on standardised features."""
    verdict: str
    """`invariant`; `cured` by the canonical form; `moves`; or `not the same function`."""


@safe_imports()
def audit(networks: Mapping[str, tuple[Network, Tensor]], seed: int = 0) -> list[AuditRow]:
    """Every registered metric x every admitted transformation x every hidden layer.

    Args:
        networks: name -> (network, inputs (samples, n_features)), in float64.
        seed: of the random transformations.

    Raises:
        ValueError: inputs do not fit a network, or its features are collinear.
    """
    return [
        row
        for name, (network, inputs) in networks.items()
        for row in audit_network(name, network, inputs, seed)
    ]


def audit_network(name: str, network: Network, inputs: Tensor, seed: int = 0) -> list[AuditRow]:
    """The rows of one network: see `audit`."""
    width = network.layers[0].weight.shape[1]
    if inputs.ndim != 2 or inputs.shape[1] != width:
        raise ValueError(
            f"inputs of {name!r} must be (samples, {width}), but are {tuple(inputs.shape)}"
        )
    inputs = inputs.double()
    raw, cured = _measure(network, inputs), _measure(*_cured(network, inputs))
    rows = []
    for number, transformation in enumerate(TRANSFORMATIONS):
        if not transformation.admits(network):
            continue
        generator = torch.Generator().manual_seed(1000 * seed + number)
        changed, new_inputs = transformation.apply(network, inputs, generator)
        change = function_change(network, inputs, changed, new_inputs)
        new_raw = _measure(changed, new_inputs)
        new_cured = _measure(*_cured(changed, new_inputs))
        for (layer, metric), before in raw.items():
            after = new_raw[layer, metric]
            far = moved(before, after)
            far_cured = moved(cured[layer, metric], new_cured[layer, metric])
            rows.append(
                AuditRow(
                    name,
                    layer,
                    transformation.name,
                    transformation.kind,
                    metric,
                    typical(before),
                    typical(after),
                    typical(cured[layer, metric]),
                    change,
                    far,
                    far_cured,
                    _verdict(transformation.kind, change, far, far_cured),
                )
            )
    return rows


def moved(before: Tensor, after: Tensor) -> float:
    """Largest change, over features, as a share of the largest value before or after."""
    size = float(torch.maximum(before.abs().max(), after.abs().max()))
    return float((before.double() - after.double()).abs().max()) / size if size else 0.0


def typical(value: Tensor) -> float:
    """A metric as one number: its mean over the features."""
    return float(value.double().mean())


def _cured(network: Network, inputs: Tensor) -> tuple[Network, Tensor]:
    network, inputs = standardised(network, inputs)
    return canonical(network), inputs


def _measure(network: Network, inputs: Tensor) -> dict[tuple[int, str], Tensor]:
    values = {}
    for position in network.hidden():
        reading = read(network, inputs, position)
        for name, metric in METRICS.items():
            if (value := metric(reading)) is not None:
                values[position + 1, name] = value
    return values


def _verdict(kind: str, change: float, far: float, far_cured: float) -> str:
    if kind != "order" and change > SAME_FUNCTION:
        return "not the same function"
    if far <= SAME_METRIC:
        return "invariant"
    return "cured" if far_cured <= SAME_METRIC else "moves"
