"""Sparse features, on their own or in sets that come together or exclude each other."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class Features:
    """Feature i is zero, or uniform in [0, 1] (in [-1, 1] if signed) with probability density.

    Sets are of `group` consecutive features. `correlated`: all of a set are active or none is.
    `anticorrelated`: at most one is.

    Raises:
        ValueError: a density outside (0, 1], sets that do not divide the features, or
            anticorrelated sets that would have to be active with probability above 1.
    """

    n_features: int
    density: tuple[float, ...]
    """One per instance: the probability that a given feature is active."""
    sets: Literal["independent", "correlated", "anticorrelated"] = "independent"
    group: int = 1
    signed: bool = False

    def __post_init__(self):
        for density in self.density:
            if not 0 < density <= 1:
                raise ValueError(f"a density must lie in (0, 1], but one is {density}")
        if self.group < 1 or self.n_features % self.group:
            raise ValueError(
                f"sets of {self.group} do not divide {self.n_features} features evenly"
            )
        if self.sets == "independent" and self.group != 1:
            raise ValueError("independent features have no sets: group must be 1")
        if self.sets == "anticorrelated" and max(self.density) * self.group > 1:
            raise ValueError(
                f"in anticorrelated sets of {self.group} a density is at most "
                f"{1 / self.group:.4g}, but one is {max(self.density)}"
            )

    def sample(self, batch: int, generator: Generator) -> Tensor:
        """A fresh batch (instances, n_features, batch) on the generator's device."""
        shape = (len(self.density), self.n_features, batch)
        device = generator.device
        density = torch.tensor(self.density, device=device)[:, None, None]
        uniform = torch.rand(shape, generator=generator, device=device)
        if self.sets == "independent":
            # below the density, a uniform number over the density is uniform again
            x = torch.where(uniform < density, uniform / density, 0.0)
            return self._sign(x, uniform, generator)
        sets = (len(self.density), self.n_features // self.group, 1, batch)
        draw = torch.rand(sets, generator=generator, device=device)
        if self.sets == "correlated":
            active = draw < density.unsqueeze(1)
        else:
            member = torch.arange(self.group, device=device)[:, None] * density.unsqueeze(1)
            active = (draw >= member) & (draw < member + density.unsqueeze(1))
        active = active.expand(*sets[:2], self.group, batch).reshape(shape)
        return self._sign(torch.where(active, uniform, 0.0), uniform, generator)

    def _sign(self, x: Tensor, like: Tensor, generator: Generator) -> Tensor:
        if not self.signed:
            return x
        flip = torch.rand(like.shape, generator=generator, device=like.device) < 0.5
        return torch.where(flip, -x, x)

    def covariance(self) -> Tensor:
        """The exact covariance (instances, n_features, n_features), in float64."""
        p = torch.tensor(self.density, dtype=torch.float64)[:, None, None]
        same = torch.eye(self.n_features, dtype=torch.float64)
        mean = 0.0 if self.signed else 0.5
        own = p / 3 - (p * mean) ** 2
        sets = torch.arange(self.n_features) // self.group
        within = (sets[:, None] == sets[None, :]).double() - same
        joint = {"independent": 0 * p, "correlated": p, "anticorrelated": 0 * p}[self.sets]
        between = joint * mean**2 - (p * mean) ** 2
        return own * same + (between * within if self.sets != "independent" else 0 * within)

    def active_counts(self) -> Tensor:
        """P(exactly k features are active), (instances, n_features + 1), in float64."""
        step = self.group if self.sets == "correlated" else 1
        rate = self.group if self.sets == "anticorrelated" else 1
        trials = self.n_features // self.group
        p = torch.tensor(self.density, dtype=torch.float64)[:, None] * rate
        k = torch.arange(trials + 1, dtype=torch.float64)
        ways = torch.lgamma(torch.tensor(trials + 1.0)) - torch.lgamma(k + 1)
        ways = (ways - torch.lgamma(trials - k + 1)).exp()
        counts = torch.zeros(len(self.density), self.n_features + 1, dtype=torch.float64)
        counts[:, : trials * step + 1 : step] = ways * p**k * (1 - p) ** (trials - k)
        return counts
