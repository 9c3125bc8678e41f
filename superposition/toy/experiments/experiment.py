"""What an experiment on toy models is, and the list of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from myopia.common.registry import Registry
from myopia.superposition.figures import own_style
from myopia.superposition.toy.data import Features
from myopia.superposition.toy.lower_bounds import LowerBound, check_lower_bounds
from myopia.superposition.toy.model import Shape, ToyModel
from myopia.superposition.toy.train import Training, evaluate, train


@dataclass(frozen=True)
class Result:
    """What an experiment found."""

    rows: list[dict[str, Any]]
    """The table."""
    answer: dict[str, Any]
    """The numbers that answer the question."""
    lower_bounds: list[LowerBound]
    figure: Figure


@dataclass(frozen=True)
class Experiment:
    """A question to toy models with the recipe that it is asked under by default."""

    name: str
    question: str
    training: Training
    run: Callable[[Training], Result]


def _entry(name: str, run: Callable[[Training], Result], training: Training) -> Experiment:
    question = (run.__doc__ or "").strip().splitlines()[0]
    return Experiment(name, question, training, run)


EXPERIMENTS: Registry[Experiment] = Registry(
    "experiment", "myopia.superposition.toy.experiments", entry=_entry, wrap=own_style
)
"""Name -> experiment; the first line of its docstring is its question."""
experiment = EXPERIMENTS.register


@dataclass(frozen=True)
class Trained:
    """Autoencoders after training, measured on fresh data and held against the floors."""

    model: ToyModel
    loss: Tensor
    """(instances,) mean over samples and features, float64."""
    lower_bounds: list[LowerBound]


def train_autoencoders(
    shape: Shape, features: Features, training: Training, importance: Tensor | None = None
) -> Trained:
    """Train, measure, check: what most experiments begin with."""
    weight = torch.ones(shape.n_features) if importance is None else importance
    model = train(shape, features, weight, training)
    loss, error = evaluate(model, features, weight, seed=training.seed + 1)
    return Trained(
        model, loss.cpu(), check_lower_bounds(model, features, weight, loss.cpu(), error.cpu())
    )
