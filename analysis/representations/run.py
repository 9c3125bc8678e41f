"""Run folders under inspection, one by one and side by side."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy

from myopia.agents.policies.agent import Agent, iter_snapshots
from myopia.agents.runs.run import RunConfig
from myopia.analysis.representations.inspection import Inspection, Rows, Tables
from myopia.analysis.representations.policy_networks import (
    activations,
    policy_networks_of,
    untrained,
)
from myopia.analysis.representations.states import states_of
from myopia.common.search_path import safe_imports
from myopia.envs.world import World, shutdown_allowed
from myopia.superposition.figures import label, literal, own_style, panels
from myopia.superposition.similarity import linear_cka, procrustes_distance

SAME = 1e-3
"""Total variation from rounding: an agent works in single precision, its towers in double."""


@safe_imports()
def inspection_of(
    folder: Path,
    basis: str = "scalars",
    distribution: str = "reference",
    directions: int = 200,
    seed: int = 0,
    out: Path | None = None,
) -> Inspection:
    """The agent of a run folder, in the world that it was trained in.

    `out` is where parts may leave files. Raises ValueError where the folder is no finished run,
    or its policy is no plain network.
    """
    config = RunConfig.read(folder)
    if config.dials.get("shutdown") == "absent":
        raise ValueError(f"{folder}: what is looked for inside is shutdown, and its world has none")
    agent = Agent.load(folder, config=config)
    world, policy = agent.world, agent.policy
    closed = _closed(world) if isinstance(policy, MaskableActorCriticPolicy) else None
    inspection = Inspection(
        world,
        replace(policy_networks_of(policy), closed=closed),
        fresh=lambda number: untrained(policy, number),
        basis=basis,
        distribution=distribution,
        directions=directions,
        seed=seed,
        snapshots={
            steps: replace(policy_networks_of(one.policy), closed=closed)
            for steps, one in iter_snapshots(folder, config)
        },
        folder=out,
    )
    acts = torch.from_numpy(agent(inspection.observations.float().numpy()))
    gap = (acts - inspection.probabilities).abs().sum(1) @ inspection.share / 2
    if gap > SAME:
        raise ValueError(
            f"{folder}: the agent's choices are not those of its network alone (total variation "
            f"{gap:.2g}), expected one that acts by what it observes"
        )
    return inspection


def _closed(world: World) -> torch.Tensor:
    """(n, A) bool: the shutdowns that `world` does not allow, in each of its situations."""
    closed = torch.zeros(len(states_of(world)), len(world.actions), dtype=torch.bool)
    closed[:, -1] = ~torch.from_numpy(shutdown_allowed(world.shutdown, states_of(world).step))
    return closed


@safe_imports()
def similarity(inspections: dict[str, Inspection]) -> Tables:
    """How alike the layers of several agents are, on the reference states of the first.

    A row for each pair of agents and each layer that both have, beside untrained networks of
    their shapes. Raises ValueError where the agents do not observe the same.
    """
    first = next(iter(inspections.values()))
    for name, one in inspections.items():
        if one.observations.shape != first.observations.shape:
            raise ValueError(
                f"{name} observes {tuple(one.observations.shape)} (situations, entries), the first "
                f"run {tuple(first.observations.shape)}: only agents of one world can be compared"
            )
    seen, share = first.observations, first.states.reference
    trained = {name: activations(one.networks, seen) for name, one in inspections.items()}
    fresh = {
        name: activations(one.fresh(number), seen)
        for number, (name, one) in enumerate(inspections.items())
    }
    rows: Rows = []
    names = list(inspections)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            for layer in trained[one]:
                if layer.endswith(".out") or layer not in trained[other]:
                    continue
                pair = trained[one][layer], trained[other][layer]
                chance = fresh[one][layer], fresh[other][layer]
                rows.append(
                    {
                        "layer": layer,
                        "one": one,
                        "other": other,
                        "CKA": linear_cka(*pair, share),
                        "CKA untrained": linear_cka(*chance, share),
                        "Procrustes": procrustes_distance(*pair, share),
                        "Procrustes untrained": procrustes_distance(*chance, share),
                    }
                )
    return {"similarity": rows}


@own_style
def similarity_figure(tables: Tables) -> Figure:
    """A matrix of CKA for each layer."""
    rows = tables["similarity"]
    layers = list(dict.fromkeys(row["layer"] for row in rows))
    names = list(dict.fromkeys([name for row in rows for name in (row["one"], row["other"])]))
    drawing, axes = panels(1, len(layers), 0.8 + 2.6 * len(layers), 3, sharey=True)
    image = None
    for axis, layer in zip(axes[0], layers, strict=True):
        table = np.eye(len(names))
        for row in rows:
            if row["layer"] == layer:
                i, j = names.index(row["one"]), names.index(row["other"])
                table[i, j] = table[j, i] = row["CKA"]
        image = axis.imshow(table, cmap="Blues", vmin=0, vmax=1)
        for i, j in np.ndindex(table.shape if len(names) <= 10 else (0, 0)):
            ink = "white" if table[i, j] > 0.6 else "black"
            axis.annotate(
                f"{table[i, j]:.2f}", (j, i), color=ink, fontsize=7, ha="center", va="center"
            )
        chance = [row["CKA untrained"] for row in rows if row["layer"] == layer]
        label(axis, f"{layer}: CKA (untrained {sum(chance) / len(chance):.2f})")
        shown = [literal(name) for name in names]
        axis.set_xticks(range(len(names)), shown, rotation=60, ha="right", fontsize=7)
        axis.set_yticks(range(len(names)), shown, fontsize=7)
    if image is not None:
        drawing.colorbar(image, ax=list(axes[0]), fraction=0.03)
    return drawing


def short_names(folders: Sequence[Path]) -> dict[str, Path]:
    """A short name for each run folder: its own, with its parent's where that is not enough."""
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [f"{folder.resolve().parent.name}/{folder.resolve().name}" for folder in folders]
    return dict(zip(names, folders, strict=True))
