"""Training of many toy models as one tensor."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from tqdm import trange

from myopia.common.errors import check_at_least
from myopia.common.search_path import safe_imports
from myopia.superposition.toy.data import Features
from myopia.superposition.toy.model import Shape, ToyModel


@dataclass(frozen=True)
class Training:
    """AdamW with a constant learning rate on a fresh batch each step.

    Raises:
        ValueError: a number that makes no sense.
    """

    steps: int = 10_000
    batch: int = 1024
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    """On all parameters, the bias too."""
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self):
        check_at_least(self, steps=1, batch=1)
        if not self.learning_rate > 0 or not self.weight_decay >= 0:
            raise ValueError(
                "the learning rate must be positive and the weight decay not negative, but they "
                f"are {self.learning_rate} and {self.weight_decay}"
            )


def identity(x: Tensor) -> Tensor:
    """All that there is: the default of what a model sees and of what it should answer."""
    return x


@safe_imports()
def train(
    shape: Shape,
    features: Features,
    importance: Tensor,
    training: Training,
    target: Callable[[Tensor], Tensor] = identity,
    see: Callable[[Tensor], Tensor] = identity,
    initial_bias: float = 0.0,
    watch: Callable[[int, ToyModel, Tensor], None] | None = None,
) -> ToyModel:
    """Train one instance per density of `features`, all at once, each with its own loss.

    The loss of an instance is the mean over batch and features of
    `importance * (target(x) - x')^2`; the sum over instances is what is minimised.

    Args:
        shape: of every instance.
        features: what the instances see.
        importance: (instances, n_features) or (n_features,).
        training: the recipe.
        target: what the model should answer to a batch (instances, n_features, batch).
        see: what is shown to the model of such a batch.
        initial_bias: where the biases of a hidden ReLU start.
        watch: called with (step, model, losses (instances,)) before each update.

    Raises:
        ValueError: importance or features do not fit the shape, or an importance is negative or
            no number.
    """
    instances = len(features.density)
    if features.n_features != shape.n_features:
        raise ValueError(
            f"the features are {features.n_features}, but the model takes {shape.n_features}"
        )
    if importance.shape not in ((shape.n_features,), (instances, shape.n_features)):
        raise ValueError(
            f"importance must be ({shape.n_features},) or ({instances}, {shape.n_features}), "
            f"but is {tuple(importance.shape)}"
        )
    check_importance(importance)
    generator = Generator(training.device).manual_seed(training.seed)
    model = ToyModel.start(shape, instances, generator, initial_bias)
    for parameter in model.parameters():
        parameter.requires_grad_()
    optimiser = torch.optim.AdamW(
        model.parameters(),
        lr=training.learning_rate,
        weight_decay=training.weight_decay,
        fused=True,
    )
    weight = importance.float().to(training.device).expand(instances, -1).unsqueeze(-1)
    scale = 1 / (training.batch * shape.n_features)
    for step in trange(training.steps, disable=None, leave=False, unit="step"):
        x = features.sample(training.batch, generator)
        gap = target(x) - model(see(x))
        losses = (gap.square() * weight).sum((1, 2)) * scale
        if watch is not None:
            watch(step, model, losses.detach())
        optimiser.zero_grad()
        losses.sum().backward()
        optimiser.step()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model


def check_importance(importance: Tensor) -> None:
    """Raise ValueError where a loss weighed by it would have no least value, or be no number."""
    wrong = importance[~(importance.isfinite() & (importance >= 0))]
    if len(wrong):
        raise ValueError(f"importance must be finite and at least 0, got {wrong[0].item():g}")


@torch.no_grad()
def evaluate(
    model: ToyModel,
    features: Features,
    importance: Tensor,
    seed: int,
    target: Callable[[Tensor], Tensor] = identity,
    see: Callable[[Tensor], Tensor] = identity,
    batches: int = 16,
    batch: int = 2048,
) -> tuple[Tensor, Tensor]:
    """Loss of every instance on fresh data and its standard error, (instances,) each, float64."""
    check_importance(importance)
    generator = Generator(model.encoder.device).manual_seed(seed)
    weight = importance.to(model.encoder).expand(len(features.density), -1).unsqueeze(-1)
    means = []
    for _ in range(batches):
        x = features.sample(batch, generator)
        means.append(((target(x) - model(see(x))).square() * weight).mean((1, 2)).double())
    losses = torch.stack(means)
    return losses.mean(0), losses.std(0) / batches**0.5
