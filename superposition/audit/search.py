"""The neuron rescaling that moves a metric most while the function stays."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from myopia.superposition.audit.network import Network, function_change, read
from myopia.superposition.audit.table import typical
from myopia.superposition.audit.transformations import scale_units
from myopia.superposition.metrics.metric import METRICS


@dataclass(frozen=True)
class Attack:
    """What the search found for one metric of one layer."""

    metric: str
    before: float
    after: float
    function_change: float
    scale: Tensor
    """(units,) the factor of each neuron."""


def worst_scaling(
    network: Network,
    inputs: Tensor,
    position: int,
    metric: str,
    bound: float = 1e3,
    passes: int = 2,
) -> Attack:
    """Search, neuron by neuron, for factors in {1/bound, 1, bound} that change the metric most.

    Args:
        network: with a ReLU layer at `position`.
        inputs: (samples, n_features), on which the metric is read.
        position: which hidden layer.
        metric: a name in `METRICS`.
        bound: the largest factor.
        passes: how often the search goes over all neurons.

    Raises:
        ValueError: no ReLU layer there, or the metric is unknown or has no meaning for it.
    """
    if metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r}; the metrics are {', '.join(METRICS)}")
    reading = read(network, inputs, position)
    columns = reading.columns
    assert columns is not None
    start = METRICS[metric](reading)
    if reading.activation != "relu" or start is None:
        raise ValueError(f"{metric!r} of a {reading.activation} layer has no neuron scale to move")

    def gain(scale: Tensor) -> float:
        # what scaling the weights does to the reading; the decoded map has no scale to move
        scaled = replace(
            reading,
            columns=columns * scale.unsqueeze(1),
            activations=reading.activations * scale,
        )
        value = METRICS[metric](scaled)
        return 0.0 if value is None else float((value - start).abs().max())

    best = torch.ones(len(columns), dtype=torch.float64)
    best_gain = 0.0
    for _ in range(passes):
        for neuron in range(len(best)):
            for factor in (1 / bound, 1.0, bound):
                trial = best.clone()
                trial[neuron] = factor
                if (trial_gain := gain(trial)) > best_gain:
                    best, best_gain = trial, trial_gain
    attacked = scale_units(network, position, best)
    end = METRICS[metric](read(attacked, inputs, position))
    assert end is not None
    change = function_change(network, inputs, attacked)
    return Attack(metric, typical(start), typical(end), change, best)
