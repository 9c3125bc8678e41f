"""Monosemanticity by initial bias: the same loss, but one feature per neuron.

Source: Jermyn, Schiefer and Hubinger 2022, "Engineering Monosemanticity in Toy Models",
arXiv 2211.09169, at a size for a CPU.
"""

from collections.abc import Callable

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.toy.data import Features
from myopia.superposition.toy.experiments.experiment import Result, experiment
from myopia.superposition.toy.lower_bounds import check_lower_bounds
from myopia.superposition.toy.model import Shape, ToyModel
from myopia.superposition.toy.train import Training, evaluate, train

SHAPE = Shape(n_features=32, d_hidden=64, decoder="untied", hidden="relu", output="linear")
DENSITY = 0.03
SEEN = 16
"""The features reach the neurons through a fixed random embedding of this rank."""
BIASES = (0.0, -0.05, -0.1, -0.2, -0.4)
STARTS = 5


@experiment(training=Training(steps=5000, batch=512, learning_rate=3e-3))
def monosemantic(training: Training) -> Result:
    """Initial bias: whether a negative one makes neurons answer to one feature, at equal loss."""
    features = Features(SHAPE.n_features, (DENSITY,) * STARTS)
    importance = torch.ones(SHAPE.n_features)
    generator = torch.Generator().manual_seed(training.seed + 2)
    embedding = torch.randn(SEEN, SHAPE.n_features, generator=generator)
    embedding = (embedding / embedding.norm(dim=0)).to(training.device)

    def see(x: Tensor) -> Tensor:
        return embedding.T @ (embedding @ x)

    rows, lower_bounds = [], []
    for bias in BIASES:
        model = train(SHAPE, features, importance, training, see=see, initial_bias=bias)
        loss, error = evaluate(model, features, importance, seed=training.seed + 1, see=see)
        lower_bounds += check_lower_bounds(model, features, importance, loss.cpu(), error.cpu())
        purity = neuron_purity(model, see)
        rows += [
            {
                "initial bias": bias,
                "start": i,
                "mean purity": float(purity[i].nanmean()),
                "monosemantic neurons": int((purity[i] > 0.9).sum()),
                "silent neurons": int(purity[i].isnan().sum()),
                "loss": float(loss[i]),
            }
            for i in range(STARTS)
        ]
    answer = {
        f"initial bias {bias:g}": {
            name: float(np.mean([r[name] for r in rows if r["initial bias"] == bias]))
            for name in ("mean purity", "monosemantic neurons", "loss")
        }
        for bias in BIASES
    }
    return Result(rows, answer, lower_bounds, figure(rows))


def neuron_purity(model: ToyModel, see: Callable[[Tensor], Tensor]) -> Tensor:
    """Share of a neuron's largest answer to one feature alone in all such answers.

    (instances, neurons); NaN where a neuron answers to none of them.
    """
    alone = see(torch.eye(model.shape.n_features).to(model.bias))
    answers = model.hidden(
        alone.expand(len(model.bias), -1, -1)
    ).cpu()  # (instances, neurons, features)
    return answers.amax(2) / answers.sum(2)


def figure(rows: list[dict]) -> Figure:
    """Purity and loss of every start against the initial bias."""
    drawing, axes = panels(1, 2, 7, 2.8)
    for axis, name, colour in zip(axes[0], ("mean purity", "loss"), COLOURS, strict=False):
        axis.plot([r["initial bias"] for r in rows], [r[name] for r in rows], "o", color=colour)
        means = [
            sum(r[name] for r in rows if r["initial bias"] == bias) / STARTS for bias in BIASES
        ]
        axis.plot(BIASES, means, "-", color=colour, lw=1)
        label(axis, name, "initial bias of the hidden neurons")
    axes[0, 1].set_ylim(bottom=0)
    return drawing
