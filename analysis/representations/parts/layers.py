"""Every layer by the metrics of superposition, raw and in canonical form."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from myopia.analysis.representations.inspection import Inspection, Tables, part
from myopia.superposition.audit import Network, canonical
from myopia.superposition.figures import COLOURS, label, panels
from myopia.superposition.metrics import (
    METRICS,
    Reading,
    cosines,
    feature_norms,
    interference_matrix,
)
from myopia.superposition.readout import decoded_map, feature_directions

PERMUTATIONS = 200


def figure(tables: Tables) -> Figure:
    """Functional D_i and explained variance of every feature, by layer; raw networks."""
    rows = [row for row in tables["features"] if row["form"] == "raw"]
    layers = list(dict.fromkeys(row["layer"] for row in tables["layers"]))
    names = list(dict.fromkeys(row["feature"] for row in rows))
    drawing, axes = panels(1, 2, 9, 1.6 + 0.22 * len(names), sharey=True)
    shown = {"functional D_i": "functional $D_i$", "explained": "share of the layer explained"}
    for axis, (key, title) in zip(axes[0], shown.items(), strict=True):
        for number, layer in enumerate(layers):
            own = [row for row in rows if row["layer"] == layer]
            at = [names.index(row["feature"]) + 0.12 * (number - len(layers) / 2) for row in own]
            axis.plot(
                [row[key] for row in own], at, "o", ms=4.5, color=COLOURS[number], label=layer
            )
        label(axis, title)
        axis.set_xlim(-0.02, None if key == "explained" else 1.04)
        axis.grid(axis="y", color="0.92")
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].invert_yaxis()
    if names:
        axes[0, 1].legend(fontsize=8, frameon=False)
    return drawing


@part(draw=figure)
def layers(inspection: Inspection) -> Tables:
    """Which features does each layer represent, and how much room has each of them?"""
    tables: Tables = {"layers": [], "features": []}
    for tower, network in inspection.networks.networks.items():
        for form, net in (("raw", network), ("canonical", canonical(network))):
            for position in net.hidden():
                name = f"{tower}.{position + 1}"
                reading = _read(inspection, net, position)
                values = {metric: function(reading) for metric, function in METRICS.items()}
                plain = {k: v for k, v in values.items() if v is None or not v.ndim}
                head = {"layer": name, "form": form}
                tables["layers"].append(
                    {
                        **head,
                        "units": reading.activations.shape[1],
                        **{k: None if v is None else float(v) for k, v in plain.items()},
                    }
                )
                tables["features"] += [{**head, **row} for row in _features(inspection, reading)]
    return tables


def _read(inspection: Inspection, network: Network, position: int) -> Reading:
    features, share = inspection.features, inspection.share
    hidden = network.activations(inspection.observations, position)
    columns = decoded = None
    if features.names and not features.collinear:
        columns = feature_directions(features.values, hidden, share)
        decoded = decoded_map(features.values, hidden, share)
    return Reading(columns, decoded, hidden, network.layers[position].activation, share)


def _features(inspection: Inspection, reading: Reading) -> list[dict]:
    """A row for each feature; none where they are collinear."""
    if reading.columns is None:
        return []
    names = inspection.features.names
    measured = {name: metric(reading) for name, metric in METRICS.items()}
    measured = {k: v for k, v in measured.items() if v is not None and v.ndim}
    explained, threshold = represented(
        inspection.features.values,
        reading.activations,
        inspection.share,
        inspection.generator(1),
    )
    index = inspection.features.of("index")
    with_index = interference_matrix(reading.columns)[:, index].sum(1) if index else None
    cosine = cosines(reading.columns)[:, index[0]] if len(index) == 1 else None
    return [
        {
            "feature": name,
            "norm": float(feature_norms(reading.columns)[i]),
            **{metric: float(value[i]) for metric, value in measured.items()},
            "cosine with index": None if cosine is None else float(cosine[i]),
            "interference with index": None if with_index is None else float(with_index[i]),
            "explained": float(explained[i]),
            "by chance": float(threshold[i]),
            "represented": bool(explained[i] > threshold[i]),
            "direction": reading.columns[:, i].tolist(),
        }
        for i, name in enumerate(names)
    ]


def represented(
    F: Tensor, H: Tensor, share: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Share of the variance of H (n, units) that each feature of F (n, m) alone explains.

    Alone: by what of it the other features do not say. Beside it, (m,) both, the 95th percentile
    of the same where the labels of that are permuted among the samples that count.
    """
    counted = share > 0
    F, H, weight = F[counted], H[counted], share[counted].unsqueeze(1)
    H = H - (weight * H).sum(0)
    total = (weight * H.square()).sum()
    explained, threshold = [], []
    for i in range(F.shape[1]):
        own, others = F[:, [i]], torch.cat([F[:, :i], F[:, i + 1 :]], dim=1)
        root = weight.sqrt()
        fitted = torch.linalg.lstsq(root * others, root * own, driver="gelsd").solution
        rest = (own - others @ fitted).squeeze(1)
        orders = torch.stack(
            [torch.randperm(len(rest), generator=generator) for _ in range(PERMUTATIONS)]
        )
        labels = torch.cat([rest.unsqueeze(0), rest[orders]])  # (1 + permutations, n)
        labels = labels - (labels @ weight)
        crossed = (labels * weight.T) @ H
        shares = crossed.square().sum(1) / (labels.square() @ weight).squeeze(1) / total
        explained.append(shares[0])
        threshold.append(shares[1:].quantile(0.95))
    return torch.stack(explained).nan_to_num(0), torch.stack(threshold).nan_to_num(0)
