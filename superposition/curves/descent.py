"""Learning a matrix of low rank by its factors, all seeds in one tensor.

The target is C = A* B*ᵀ with factors of N(0, 1), (d, rank); the learned Z = A Bᵀ starts at
factors of N(0, spread^2) of the same rank. The loss is `1/2 ||C - Z||_F^2`, or the KL in nats
between softmax(C) and softmax(Z), one softmax over all d^2 entries.

Source: Jermyn and Shlegeris 2022, "Multi-Component Learning and S-Curves".
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor
from tqdm import trange

from myopia.common.errors import check_at_least

Loss = Literal["mse", "cross-entropy"]
Optimiser = Literal["gradient", "adam"]


@dataclass(frozen=True)
class Descent:
    """One setting of the sweep: full-batch descent from several seeds.

    Raises:
        ValueError: a number that makes no sense.
    """

    rank: int
    loss: Loss = "mse"
    optimiser: Optimiser = "gradient"
    learning_rate: float = 0.005
    """For gradient descent on MSE in units of 1 / σ_max(C), else as it is."""
    steps: int = 5000
    spread: float = 1.0
    """Standard deviation of the learned factors at the start."""
    weight_decay: float = 0.0
    """Decoupled, as in AdamW."""
    seeds: int = 20
    first_seed: int = 0
    d: int = 100
    device: str = "cpu"

    def __post_init__(self):
        check_at_least(self, rank=1, steps=1, seeds=1, d=1)
        if self.rank > self.d:
            raise ValueError(f"rank must be at most d = {self.d}, but is {self.rank}")
        if not (self.learning_rate > 0 and self.spread > 0 and self.weight_decay >= 0):
            raise ValueError(
                "learning rate and spread must be positive and weight decay not negative, but "
                f"they are {self.learning_rate}, {self.spread} and {self.weight_decay}"
            )


@dataclass(frozen=True)
class Curves:
    """What a descent recorded; R records, one row of the tensors per seed, in float64."""

    descent: Descent
    steps: Tensor
    """(R,) step numbers from 0, every one at first and then about evenly in their logarithm."""
    loss: Tensor
    """(seeds, R)."""
    overlap: Tensor
    """(seeds, R) `<Z, C> / ||C||^2`, the inner product with the truth: 1 at Z = C."""
    reference: Tensor
    """(seeds,) the loss at Z = 0."""
    sigma_max: Tensor
    """(seeds,) largest singular value of C."""
    perplexity: Tensor
    """(seeds,) exp of the entropy of softmax(C)."""


def factors(descent: Descent) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A*, B*, A, B, each (seeds, d, rank): seed i alone decides row i."""
    rows = []
    for seed in range(descent.first_seed, descent.first_seed + descent.seeds):
        generator = Generator().manual_seed(seed)
        rows.append(torch.randn(4, descent.d, descent.rank, generator=generator))
    truth_a, truth_b, a, b = torch.stack(rows, dim=1).to(descent.device)
    return truth_a, truth_b, descent.spread * a, descent.spread * b


@torch.no_grad()
def descend(descent: Descent, stop_at: float = 0.0) -> Curves:
    """Run one setting for all its seeds.

    Args:
        descent: the setting.
        stop_at: end once the loss of every seed is below this share of its start.
    """
    truth_a, truth_b, a, b = factors(descent)
    C = truth_a @ truth_b.transpose(1, 2)
    sigma_max = torch.linalg.svdvals(C)[:, 0]
    log_p = _flat(C).double().log_softmax(-1)
    target = log_p.exp().to(C).view_as(C)
    cross_entropy = descent.loss == "cross-entropy"
    rate = torch.full_like(sigma_max, descent.learning_rate)
    if descent.optimiser == "gradient" and not cross_entropy:
        rate = rate / sigma_max
    rate = rate[:, None, None]
    update = _Adam(a, b) if descent.optimiser == "adam" else _plain
    recorded = _record_steps(descent.steps)
    records: list[tuple[int, Tensor, Tensor]] = []
    for step in trange(descent.steps + 1, disable=None, leave=False, unit="step"):
        Z = a @ b.transpose(1, 2)
        if step in recorded:
            loss = _kl(log_p, Z) if cross_entropy else _half_square(C - Z)
            records.append((step, loss, (Z * C).sum((1, 2)) / C.square().sum((1, 2))))
            if bool((loss <= stop_at * records[0][1]).all()):
                break
        slope = _flat(Z).softmax(-1).view_as(Z).sub_(target) if cross_entropy else Z.sub_(C)
        step_a, step_b = update(slope @ b, slope.transpose(1, 2) @ a)
        if descent.weight_decay:
            a.mul_(1 - rate * descent.weight_decay)
            b.mul_(1 - rate * descent.weight_decay)
        a.sub_(rate * step_a)
        b.sub_(rate * step_b)
    zero = torch.zeros_like(C)
    entropy = -(log_p.exp() * log_p).sum(-1)
    return Curves(
        descent,
        torch.tensor([step for step, _, _ in records], dtype=torch.float64),
        torch.stack([loss for _, loss, _ in records], dim=1).double().cpu(),
        torch.stack([overlap for _, _, overlap in records], dim=1).double().cpu(),
        (_kl(log_p, zero) if cross_entropy else _half_square(C)).double().cpu(),
        sigma_max.double().cpu(),
        entropy.exp().cpu(),
    )


class _Adam:
    """Adam's step for both factors, with its usual constants."""

    def __init__(self, *factors: Tensor):
        self.first = [torch.zeros_like(f) for f in factors]
        self.second = [torch.zeros_like(f) for f in factors]
        self.count = 0

    def __call__(self, *slopes: Tensor) -> list[Tensor]:
        self.count += 1
        scale = 1 / (1 - 0.9**self.count)
        root = math.sqrt(1 - 0.999**self.count)
        steps = []
        for slope, first, second in zip(slopes, self.first, self.second, strict=True):
            first.mul_(0.9).add_(slope, alpha=0.1)
            second.mul_(0.999).addcmul_(slope, slope, value=0.001)
            steps.append(first * scale / (second.sqrt() / root + 1e-8))
        return steps


def _plain(*slopes: Tensor) -> tuple[Tensor, ...]:
    return slopes


def _flat(Z: Tensor) -> Tensor:
    return Z.flatten(1)


def _half_square(gap: Tensor) -> Tensor:
    return gap.square().sum((1, 2)) / 2


def _kl(log_p: Tensor, Z: Tensor) -> Tensor:
    return (log_p.exp() * (log_p - _flat(Z).double().log_softmax(-1))).sum(-1)


def _record_steps(steps: int) -> set[int]:
    """0, and about 700 steps evenly in their logarithm."""
    return {0, *torch.logspace(0, math.log10(steps), 700).round().int().tolist(), steps}
