"""Sparse dictionaries of the layers, against principal components, neurons and chance."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from myopia.analysis.representations.inspection import Inspection, Rows, Tables, part
from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.readout import feature_directions
from myopia.superposition.topk_sae import (
    STATES_PER_LATENT,
    TopKSAE,
    best_cosines,
    explained,
    pursued,
    train_topk_sae,
)

SEEDS = 5
STEPS = 1000
LATENTS_PER_UNIT = 1
ACTIVE = 4
"""How many latents a state may use."""


def figure(tables: Tables) -> Figure:
    """What each kind of dictionary explains, and how well it has the features among its atoms."""
    rows = tables["dictionaries"]
    layers = list(dict.fromkeys(row["layer"] for row in rows))
    kinds = list(dict.fromkeys(row["dictionary"] for row in rows))
    drawing, axes = panels(1, 2, 9, 1.8 + 0.45 * len(layers), sharey=True)
    titles = {"explained": f"variance explained by {ACTIVE} atoms", "cosine": "best |cosine|"}
    for axis, (key, title) in zip(axes[0], titles.items(), strict=True):
        for row in rows:
            if row[key] is None:
                continue
            y = layers.index(row["layer"]) + 0.18 * (kinds.index(row["dictionary"]) - 1.5)
            colour = COLOURS[kinds.index(row["dictionary"])]
            axis.plot([row[f"{key} low"], row[f"{key} high"]], [y, y], color=colour, lw=2)
            axis.plot(row[key], y, "o", ms=5, color=colour)
        label(axis, title if key == "explained" else "best |cosine| with a feature, mean")
        axis.set_xlim(-0.02, 1.04)
    for kind, colour in zip(kinds, COLOURS, strict=False):
        axes[0, 0].plot([], [], "o-", color=colour, label=kind)
    axes[0, 0].set_yticks(range(len(layers)), layers)
    axes[0, 0].invert_yaxis()
    if rows:
        drawing.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=4)
    return drawing


@part(draw=figure)
def dictionaries(inspection: Inspection) -> Tables:
    """Does a sparse dictionary of a layer hold the features, better than chance would?"""
    rows: Rows = []
    counted = inspection.share > 0
    for layer, hidden in inspection.cache.items():
        if layer.endswith(".out"):
            continue
        H, share = hidden[counted].float(), inspection.share[counted].float()
        latents = LATENTS_PER_UNIT * H.shape[1]
        distinct = len(H.unique(dim=0))
        if distinct < STATES_PER_LATENT * latents:
            inspection.reasons[f"dictionaries.{layer}"] = (
                f"{distinct} distinct states are too few for {latents} latents; "
                f"{STATES_PER_LATENT} for each would be enough"
            )
            continue
        k = min(ACTIVE, H.shape[1])
        trained = train_topk_sae(H, latents, k, SEEDS, share, STEPS, seed=inspection.seed)
        if inspection.folder is not None:
            for seed in range(SEEDS):
                trained.save(inspection.folder / "dictionaries" / layer / f"seed-{seed}", seed)
        directions = None
        if inspection.features.names and not inspection.features.collinear:
            columns = feature_directions(inspection.features.values, hidden, inspection.share)
            directions = columns.T.float()
        rows += [
            {"layer": layer, "dictionary": kind, **_row(H, share, atoms, rebuilt, directions)}
            for kind, atoms, rebuilt in _dictionaries(H, share, trained, inspection)
        ]
    return {"dictionaries": rows}


def _dictionaries(H: Tensor, share: Tensor, trained: TopKSAE, inspection: Inspection):
    """Kind, atoms (seeds, latents, units) and reconstructions (seeds, n, units) of each."""
    mean = share @ H
    centred = H - mean
    yield "top-k autoencoder", trained.decoder, trained(H)
    axes = torch.linalg.svd(centred * share.sqrt().unsqueeze(1), full_matrices=False).Vh
    first = axes[: trained.k]
    yield (
        "principal components",
        first.unsqueeze(0),
        (mean + centred @ first.T @ first).unsqueeze(0),
    )
    neurons = torch.eye(H.shape[1])
    yield (
        "neurons",
        neurons.unsqueeze(0),
        (mean + pursued(centred, neurons, trained.k)).unsqueeze(0),
    )
    shape = trained.decoder.shape
    random = torch.randn(shape, generator=inspection.generator(6))
    random = random / random.norm(dim=2, keepdim=True)
    rebuilt = torch.stack([mean + pursued(centred, atoms, trained.k) for atoms in random])
    yield "random", random, rebuilt


def _row(
    H: Tensor, share: Tensor, atoms: Tensor, rebuilt: Tensor, directions: Tensor | None
) -> dict:
    kept = explained(H, rebuilt, share)
    row = {
        "atoms": atoms.shape[1],
        "explained": float(kept.mean()),
        "explained low": float(kept.min()),
        "explained high": float(kept.max()),
    }
    found = None if directions is None else best_cosines(directions, atoms).mean(-1)
    for name, take in (("", Tensor.mean), (" low", Tensor.min), (" high", Tensor.max)):
        row[f"cosine{name}"] = None if found is None else float(take(found))
    return row
