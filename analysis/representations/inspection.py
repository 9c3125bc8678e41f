"""One agent's network under inspection, and the parts of which an inspection consists."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from myopia.analysis.representations.features import BASES, StateFeatures, features_of
from myopia.analysis.representations.policy_networks import PolicyNetworks, activations
from myopia.analysis.representations.states import DISTRIBUTIONS, States, states_of
from myopia.common.errors import check_choice
from myopia.common.registry import Registry
from myopia.common.search_path import safe_imports
from myopia.envs.world import World
from myopia.superposition.figures import own_style

Rows = list[dict[str, Any]]
Tables = dict[str, Rows]
"""Title -> rows with the same keys: numbers, names, lists, None."""


class Inspection:
    """The towers of an agent in a world, read under one basis and one distribution.

    `reasons` says why something is null. `fresh` gives untrained towers of the same shape by
    seed; `snapshots` the towers over training by steps; `folder` is where parts may leave files.

    Raises ValueError for an unknown basis or distribution.
    """

    def __init__(
        self,
        world: World,
        networks: PolicyNetworks,
        fresh: Callable[[int], PolicyNetworks],
        basis: str = "scalars",
        distribution: str = "reference",
        directions: int = 200,
        seed: int = 0,
        snapshots: Mapping[int, PolicyNetworks] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.world, self.networks, self.fresh = world, networks, fresh
        self.basis = check_choice("basis", basis, BASES)
        self.distribution = check_choice("distribution", distribution, DISTRIBUTIONS)
        if directions < 1:
            raise ValueError(f"directions must be at least 1, got {directions}")
        self.directions, self.seed = directions, seed
        self.snapshots, self.folder = dict(snapshots or {}), folder
        self.reasons: dict[str, str] = {}
        self.states: States = states_of(world)
        self.observations = torch.from_numpy(self.states.observations)

    @functools.cached_property
    def share(self) -> Tensor:
        """(n,): how often each situation is met, under the distribution."""
        if self.distribution == "reference":
            return self.states.reference
        return self.states.visited(self.probabilities)

    @functools.cached_property
    def probabilities(self) -> Tensor:
        """(n, A): what the agent does in each situation."""
        return self.networks(self.observations)

    @functools.cached_property
    def cache(self) -> dict[str, Tensor]:
        """Name of a layer -> activations (n, units)."""
        return activations(self.networks, self.observations)

    @functools.cached_property
    def features(self) -> StateFeatures:
        """The columns of the basis, with the reasons for those that are null."""
        features = features_of(self.states, self.share, self.basis)
        for name in features.constant:
            self.reasons[f"features.{name}"] = f"constant under the {self.distribution} states"
        for name in features.collinear:
            self.reasons[f"features.{name}"] = (
                f"collinear under the {self.distribution} states: {', '.join(features.collinear)}"
            )
        return features

    def generator(self, *salt: int) -> torch.Generator:
        """Fresh draws for one purpose, the same in every run."""
        seed = self.seed
        for number in salt:
            seed = 1009 * seed + number
        return torch.Generator().manual_seed(seed)


@dataclass(frozen=True)
class Part:
    """One question to a network: `run` answers it in tables, `draw` shows them."""

    name: str
    question: str
    run: Callable[[Inspection], Tables]
    draw: Callable[[Tables], Figure]


def _entry(name: str, run: Callable[[Inspection], Tables], draw: Any) -> Part:
    return Part(name, (run.__doc__ or "").strip().splitlines()[0], run, own_style(draw))


PARTS: Registry[Part] = Registry("part", "myopia.analysis.representations.parts", entry=_entry)
"""Name -> part; the first line of its docstring is its question."""
part = PARTS.register


@safe_imports()
def inspect(inspection: Inspection) -> dict[str, Any]:
    """Every part's tables, and what they were read on: the entries of `representations.json`."""
    features = inspection.features
    spreads = zip(features.names, features.mean.tolist(), features.spread.tolist(), strict=True)
    parts = {name: part.run(inspection) for name, part in PARTS.items()}
    return {
        "world": inspection.world.name,
        "dials": inspection.world.dials(),
        "basis": inspection.basis,
        "distribution": inspection.distribution,
        "states": int((inspection.share > 0).sum()),
        "features": [{"feature": n, "mean": m, "deviation": d} for n, m, d in spreads],
        "parts": parts,
        "reasons": inspection.reasons,
    }
