"""Targets of arXiv 2209.10652: toy models of superposition."""

from collections.abc import Iterator

import torch

from myopia.superposition import metrics
from myopia.superposition.reproductions.reproduction import ReproductionRow, reproduction, within
from myopia.superposition.statistics import wilson
from myopia.superposition.toy.data import Features
from myopia.superposition.toy.experiments.pentagon import DENSITY, is_regular_pentagon
from myopia.superposition.toy.model import Shape
from myopia.superposition.toy.optimum import dropped_loss, expected_loss, superposition_boundary
from myopia.superposition.toy.train import Training, train


@reproduction(source="Elhage et al. 2022, arXiv 2209.10652")
def toy_models(exact_only: bool) -> Iterator[ReproductionRow]:
    """Boundaries, dropped features, pentagons, many features."""
    yield from dropped_feature()
    yield from boundaries()
    if not exact_only:
        yield from pentagons()
        yield from many_features()


def boundaries() -> Iterator[ReproductionRow]:
    """Where superposition becomes the optimum of 2 features in 1 dimension."""
    for importance, theirs in ((0.3, 0.376), (3.0, 0.398)):
        yield within(
            f"2 in 1, importance (1, {importance:g}): density of the boundary",
            theirs,
            superposition_boundary(importance),
            0.004,
            "measured",
        )


def dropped_feature() -> Iterator[ReproductionRow]:
    """What a dropped feature costs, by quadrature at the best bias, against (1-S)(1+3S)/12."""
    biases = torch.linspace(0, 1, 100_001, dtype=torch.float64).unsqueeze(1)
    dropped, one = torch.zeros(len(biases), 1, 1).double(), torch.ones(1, 1).double()
    gaps = []
    for density in torch.linspace(0.05, 1, 20, dtype=torch.float64):
        best = expected_loss(dropped, biases, density.expand(len(biases)), one).min()
        gaps.append(abs(float(best) - dropped_loss(float(density))))
    yield ReproductionRow(
        "a dropped feature costs, at best bias, (1-S)(1+3S)/12: largest gap, 20 densities",
        "0",
        f"{max(gaps):.1e}",
        "1e-09",
        "exact",
        max(gaps) <= 1e-9,
    )


def pentagons(starts: int = 200, training: Training | None = None) -> Iterator[ReproductionRow]:
    """How often 5 sparse features in 2 dimensions become a regular pentagon."""
    features = Features(5, (DENSITY,) * starts)
    model = train(Shape(5, 2), features, torch.ones(5), training or Training())
    regular = is_regular_pentagon(model.encoder)
    found = int(regular.sum())
    low, high = wilson(found, starts)
    yield ReproductionRow(
        f"5 in 2, density .05: share of regular pentagons, {starts} starts",
        ".88 to .93",
        f"{found / starts:.3f} [{low:.3f}, {high:.3f}]",
        "interval's upper end >= .85",
        "measured",
        high >= 0.85,
    )
    if found:
        W = model.encoder[regular]
        dimensionality = float(torch.as_tensor(metrics.feature_dimensionality(W)).mean())
        per_feature = float(torch.as_tensor(metrics.dimensions_per_feature(W)).mean())
        yield within("the same: D_i of the regular ones", 0.4, dimensionality, 0.01, "measured")
        yield within("the same: their dimensions per feature", 0.311, per_feature, 0.01, "measured")


def many_features(training: Training | None = None) -> Iterator[ReproductionRow]:
    """200 features in 20 dimensions at three densities."""
    targets = {1.0: 1.005, 0.368: 0.509, 0.097: 0.213}
    training = training or Training(steps=6000, batch=384)
    model = train(Shape(200, 20), Features(200, tuple(targets)), torch.ones(200), training)
    for i, (density, theirs) in enumerate(targets.items()):
        W = model.encoder[i].double()
        total = float(torch.as_tensor(metrics.feature_dimensionality(W)).sum()) / 20
        name = f"200 in 20, density {density:.3f}"
        yield within(f"{name}: sum of D_i over d_hidden", 1.0, total, 0.01, "measured")
        ours = float(metrics.dimensions_per_feature(W))
        yield within(f"{name}: dimensions per feature", theirs, ours, 0.03, "measured")
