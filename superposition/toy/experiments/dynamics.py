"""Learning dynamics: whether steps in the loss come with jumps in D_i."""

import numpy as np
import torch
from matplotlib.figure import Figure
from scipy.signal import find_peaks
from torch import Generator, Tensor

from myopia.superposition import metrics
from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.toy.data import Features
from myopia.superposition.toy.experiments.experiment import Result, experiment
from myopia.superposition.toy.lower_bounds import check_lower_bounds
from myopia.superposition.toy.model import Shape, ToyModel
from myopia.superposition.toy.train import Training, evaluate, train

SHAPE = Shape(n_features=20, d_hidden=5)
DENSITY = 0.25
STARTS = 8
EVERY = 25
"""Training steps between looks."""
WINDOW = 12
"""Looks over which changes are taken, and within which a step and a jump are one event."""
SKIP = 20
"""Looks left out at the start, where everything moves."""


@experiment(training=Training(steps=8000, batch=512))
def dynamics(training: Training) -> Result:
    """Learning dynamics: jumps in D_i against steps in the loss, both found automatically."""
    features = Features(SHAPE.n_features, (DENSITY,) * STARTS)
    importance = torch.ones(SHAPE.n_features)
    generator = Generator(training.device).manual_seed(training.seed + 2)
    x = features.sample(4096, generator)  # the same samples at every look: no sampling noise
    spectra: list[Tensor] = []
    losses: list[Tensor] = []

    @torch.no_grad()
    def look(step: int, model: ToyModel, _: Tensor) -> None:
        if step % EVERY == 0:
            spectra.append(torch.as_tensor(metrics.feature_dimensionality(model.encoder)).cpu())
            losses.append((x - model(x)).square().mean((1, 2)).cpu())

    model = train(SHAPE, features, importance, training, watch=look)
    spectrum, loss = torch.stack(spectra).numpy(), torch.stack(losses).numpy()
    rows = [_row(i, loss[:, i], spectrum[:, i]) for i in range(STARTS)]
    jumps, steps = (sum(len(row[name]) for row in rows) for name in ("jumps", "loss steps"))
    matched = sum(len(row["matched"]) for row in rows)
    answer = {
        "jumps of D_i": jumps,
        "loss steps": steps,
        "share of loss steps with a jump": matched / steps if steps else None,
        "share expected by chance": float(np.mean([row["covered"] for row in rows])),
    }
    measured, error = evaluate(model, features, importance, seed=training.seed + 1)
    lower_bounds = check_lower_bounds(model, features, importance, measured.cpu(), error.cpu())
    return Result(rows, answer, lower_bounds, figure(loss, spectrum, rows))


def find_jumps(spectrum: np.ndarray) -> list[int]:
    """Looks at which some D_i of (looks, features) changes most within a window."""
    return _peaks(np.abs(spectrum[WINDOW:] - spectrum[:-WINDOW]).max(1, initial=0.0))


def find_loss_steps(loss: np.ndarray) -> list[int]:
    """Looks at which log loss (looks,) falls most within a window."""
    return _peaks(np.log(loss[:-WINDOW] / loss[WINDOW:]))


def _peaks(change: np.ndarray) -> list[int]:
    """Peaks of a rate of change that stand out from its usual size by five deviations."""
    late = change[SKIP:]
    if not len(late):
        return []
    usual = np.median(late)
    least = 5 * max(1.4826 * np.median(np.abs(late - usual)), 1e-4)
    found, _ = find_peaks(late, height=usual + least, prominence=least, distance=WINDOW)
    return (found + SKIP + WINDOW // 2).tolist()


def _row(start: int, loss: np.ndarray, spectrum: np.ndarray) -> dict:
    jumps, steps = find_jumps(spectrum), find_loss_steps(loss)
    near = np.zeros(len(loss), dtype=bool)
    for jump in jumps:
        near[max(0, jump - WINDOW) : jump + WINDOW + 1] = True
    return {
        "start": start,
        "jumps": [jump * EVERY for jump in jumps],
        "loss steps": [step * EVERY for step in steps],
        "matched": [step * EVERY for step in steps if near[step]],
        "covered": float(near[SKIP:].mean()) if len(loss) > SKIP else 0.0,
        "final loss": float(loss[-1]),
    }


def figure(loss: np.ndarray, spectrum: np.ndarray, rows: list[dict]) -> Figure:
    """The start with the most loss steps: its loss above the D_i of all its features."""
    start = max(range(len(rows)), key=lambda i: len(rows[i]["loss steps"]))
    drawing, axes = panels(2, 1, 6.5, 4.6, sharex=True)
    across = np.arange(len(loss)) * EVERY
    top, bottom = axes[:, 0]
    top.plot(across, loss[:, start], color=COLOURS[0], lw=1)
    top.set_yscale("log")
    for step in rows[start]["loss steps"]:
        top.axvline(step, color=COLOURS[1], lw=0.8)
    label(top, f"loss of start {start}; lines: steps found in the loss")
    bottom.plot(across, spectrum[:, start], lw=0.8, alpha=0.8)
    for jump in rows[start]["jumps"]:
        bottom.axvline(jump, color="0.6", lw=0.8, ls=":")
    label(bottom, "$D_i$ of its features; lines: jumps found in $D_i$", "training step")
    return drawing
