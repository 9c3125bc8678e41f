"""How much of an agent's capability is carried by variables that can be interpreted, by width."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from myopia.agents.runs.run import RunConfig
from myopia.agents.training.train import train
from myopia.analysis.representations.features import BASES
from myopia.analysis.representations.inspection import Inspection
from myopia.analysis.representations.parts.linear_decoder import FOLDS, UNTRAINED, groups_without
from myopia.analysis.representations.parts.steering import steered
from myopia.analysis.representations.policy_networks import activations
from myopia.analysis.representations.run import inspection_of
from myopia.common.search_path import safe_imports
from myopia.envs import World
from myopia.superposition.capability import Measured
from myopia.superposition.linear_decoder import held_out_r2, whole_groups
from myopia.superposition.metrics import functional_dimensionality
from myopia.superposition.readout import decoded_map, feature_directions

WIDTHS = (1, 2, 4, 8, 16, 32)
SEEDS = 10
STEPS = 200_000


@safe_imports()
def train_widths(
    world: World, widths: Sequence[int], seeds: int, steps: int, folder: Path
) -> dict[int, list[Path]]:
    """PPO with two hidden layers of each width: width -> its run folders, one for each seed.

    Runs that are in `folder` already are not trained again.
    """
    found: dict[int, list[Path]] = {}
    for width in widths:
        for seed in range(seeds):
            config = RunConfig(
                world.name,
                world.dials(),
                algo=f"ppo:hidden={width}/{width}",
                seed=seed,
                total_timesteps=steps,
            )
            path = train(config, folder / f"width-{width}-seed-{seed}")
            found.setdefault(width, []).append(path)
    return found


@safe_imports()
def measure(folders: Sequence[Path], directions: int = 200) -> dict[str, Measured]:
    """Basis -> what was measured of the state variables of the agents in these run folders.

    Read in the last hidden layer of the acting tower, on the reference states. Raises ValueError
    for variables that are collinear there.
    """
    rows: dict[str, list[tuple[np.ndarray, ...]]] = {basis: [] for basis in BASES}
    for folder in folders:
        for basis, own in rows.items():
            own.append(_agent(inspection_of(folder, basis, directions=directions)))
    return {
        basis: Measured(*(np.stack(values) for values in zip(*own, strict=True)))
        for basis, own in rows.items()
    }


def variables_of(folder: Path) -> list[str]:
    """The state variables that are measured, in order."""
    return inspection_of(folder).features.variables


def _agent(inspection: Inspection) -> tuple[np.ndarray, ...]:
    """The rows of `Measured` of one agent, each (variables,).

    A variable with several contrasts has their mean dimensionality.
    """
    features, share = inspection.features, inspection.share
    if features.collinear:
        raise ValueError(f"collinear state variables: {', '.join(features.collinear)}")
    last = inspection.networks.actor.hidden()[-1]
    layer = f"{inspection.networks.acting}.{last + 1}"
    hidden = inspection.cache[layer]
    fresh = [
        activations(inspection.fresh(seed), inspection.observations)[layer]
        for seed in range(UNTRAINED)
    ]
    columns = feature_directions(features.values, hidden, share) / features.spread
    dimensionality = functional_dimensionality(decoded_map(features.values, hidden, share))
    rows = []
    for variable in features.variables:
        groups = groups_without(inspection, variable)
        folds = whole_groups(groups, FOLDS, inspection.generator(3))
        target = torch.from_numpy(inspection.states.variables[variable]).unsqueeze(1)
        r2, *controls = (float(held_out_r2(one, target, folds, share)) for one in (hidden, *fresh))
        _, cause = steered(inspection, last, variable, columns)
        rows.append(
            (
                max(0.0, regret_without(inspection, variable)),
                r2,
                np.mean(controls),
                float(dimensionality[features.of(variable)].mean()),
                r2 - np.mean(controls),
                bool(cause and cause[0]["causal"]),
            )
        )
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def regret_without(inspection: Inspection, variable: str) -> float:
    """What the agent loses if a variable is erased at the input, in units of reward.

    Erased: what it is shown of the variable is drawn anew at every step, from how often each
    value is met; its choices are averaged over that, exactly.
    """
    states, share = inspection.states, inspection.share
    levels = states.levels(variable)
    values = torch.from_numpy(states.variables[variable])
    erased = torch.zeros_like(inspection.probabilities)
    for level in levels:
        shown = torch.from_numpy(states.show(variable, np.full(len(states), level)))
        erased += (share * (values == level)).sum() * inspection.networks(shown)
    return states.total(inspection.probabilities) - states.total(erased)
