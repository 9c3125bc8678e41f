"""How much of what a model can do is done by features that can be interpreted, by width."""

import numpy as np
import torch
from torch import Generator, Tensor

from myopia.superposition import metrics
from myopia.superposition.capability import Measured, answers, curve, figure
from myopia.superposition.random_directions import matched_directions
from myopia.superposition.toy.data import Features
from myopia.superposition.toy.experiments.experiment import Result, experiment, train_autoencoders
from myopia.superposition.toy.model import Shape, ToyModel
from myopia.superposition.toy.train import Training

FEATURES = 32
DENSITY = 0.05
WIDTHS = (1, 2, 4, 6, 8, 12, 16, 20, 24, 28, 32, 40)
SEEDS = 10
DIRECTIONS = 200
SAMPLES = 8192
WORLDS = {
    "finite": torch.ones(FEATURES),
    "power law": torch.arange(1, FEATURES + 1) ** -1.0,
}
"""World -> importance of its features: all alike, or falling as 1 / rank."""


@experiment(training=Training(steps=2500, batch=512, learning_rate=3e-3))
def capability(training: Training) -> Result:
    """Interpretable capability against capability, by width, and whether it has a valley."""
    importance = torch.stack([WORLDS[name] for name in WORLDS for _ in range(SEEDS)])
    features = Features(FEATURES, (DENSITY,) * len(importance))
    points: dict[str, dict[int, Measured]] = {name: {} for name in WORLDS}
    lower_bounds = []
    for width in WIDTHS:
        shape = Shape(FEATURES, width)
        trained = train_autoencoders(shape, features, training, importance)
        start = ToyModel.start(shape, len(importance), Generator().manual_seed(training.seed))
        measured = _measure(trained.model, start, features, importance, training.seed)
        for number, name in enumerate(WORLDS):
            own = slice(number * SEEDS, (number + 1) * SEEDS)
            points[name][width] = Measured(*(values[own] for values in measured))
        lower_bounds += trained.lower_bounds
    rows = [row for name in WORLDS for row in curve(name, points[name])]
    return Result(rows, answers(rows), lower_bounds, figure(rows))


def _measure(
    model: ToyModel, start: ToyModel, features: Features, importance: Tensor, seed: int
) -> tuple[np.ndarray, ...]:
    """The arrays of `Measured`, each (instances, n_features).

    The readout of an encoder is exact: the features are independent, of known variance.
    """
    generator = Generator(model.encoder.device).manual_seed(seed + 1)
    x = features.sample(SAMPLES, generator)
    variance = features.covariance().diagonal(dim1=1, dim2=2)
    error = (x - model(x)).square().mean(2).double().cpu()
    W, W0 = model.encoder.double().cpu(), start.encoder.double()
    worth = importance * variance
    readable, before = _readable(W, variance), _readable(W0, variance)
    return tuple(
        values.numpy()
        for values in (
            worth / worth.sum(1, keepdim=True),
            1 - error / variance,
            before,
            metrics.functional_dimensionality(W.transpose(1, 2) @ W),
            readable - before,
            _causal(W, variance, seed),
        )
    )


def _readable(W: Tensor, variance: Tensor) -> Tensor:
    """R² (instances, n_features) of the best linear readout of each feature from W x."""
    root = W * variance.sqrt().unsqueeze(1)
    basis = torch.linalg.pinv(root) @ root
    return basis.diagonal(dim1=1, dim2=2)


def _causal(W: Tensor, variance: Tensor, seed: int) -> Tensor:
    """Whether a step along W_i raises output i more than steps along matched directions.

    A step u changes the input of output i by `W_i . u`, and the output rises with that: so it is
    the inputs that are compared. Output i must lie beyond the 95th percentile. (instances, n).
    """
    generator = Generator().manual_seed(seed + 2)
    found = torch.zeros(W.shape[0], W.shape[2], dtype=torch.bool)
    for instance, (own, spread) in enumerate(zip(W, variance, strict=True)):
        covariance = own * spread @ own.T
        columns = own.T
        some = columns.norm(dim=1) >= 1e-6 * own.norm()
        random = matched_directions(columns[some], covariance, DIRECTIONS, generator)
        inputs = (random * columns[some].unsqueeze(1)).sum(2)
        # a step of the same size the same way is no other direction
        chance = inputs.quantile(0.95, dim=1) * (1 + 1e-6)
        found[instance, some] = columns[some].square().sum(1) > chance
    return found
