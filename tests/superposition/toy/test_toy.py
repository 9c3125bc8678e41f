"""Toy models: the data, the one-tensor training, the floors."""

import numpy as np
import pytest
import torch
from torch import Generator

from myopia import superposition as sp
from myopia.superposition.toy import (
    Features,
    Shape,
    ToyModel,
    Training,
    check_lower_bounds,
    evaluate,
    train,
)
from myopia.superposition.toy.lower_bounds import broken, entropy_bound, pca_bound

KINDS = [
    Features(6, (0.3, 1.0)),
    Features(6, (0.3, 0.05), signed=True),
    Features(6, (0.3, 0.7), sets="correlated", group=2),
    Features(6, (0.3, 0.5), sets="anticorrelated", group=2),
    Features(6, (0.1, 0.3), sets="anticorrelated", group=3, signed=True),
]


@pytest.mark.parametrize("features", KINDS, ids=str)
def test_samples_have_the_moments_that_they_should(features):
    x = features.sample(200_000, Generator().manual_seed(0)).double()
    density = torch.tensor(features.density, dtype=torch.float64)
    assert torch.allclose((x != 0).double().mean((1, 2)), density, atol=0.004)
    for i, expected in enumerate(features.covariance()):
        assert np.allclose(np.cov(x[i].numpy(), bias=True), expected, atol=0.004)
    counts = torch.stack(
        [((x != 0).sum(1) == k).double().mean(1) for k in range(features.n_features + 1)], dim=1
    )
    assert torch.allclose(counts, features.active_counts(), atol=0.005)
    active = x[0][x[0] != 0].abs()
    assert active.mean() == pytest.approx(0.5, abs=0.01)
    assert active.max() <= 1


def test_sets_come_together_or_exclude_each_other():
    x = Features(4, (0.3,), sets="correlated", group=2).sample(1000, Generator().manual_seed(0))
    assert torch.equal(x[0, 0] != 0, x[0, 1] != 0)
    x = Features(4, (0.3,), sets="anticorrelated", group=2).sample(1000, Generator().manual_seed(0))
    assert not bool(((x[0, 0] != 0) & (x[0, 1] != 0)).any())


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"density": (0.0,)}, r"in \(0, 1\], but one is 0"),
        ({"sets": "correlated", "group": 4}, "do not divide 6"),
        ({"group": 2}, "group must be 1"),
        ({"density": (0.6,), "sets": "anticorrelated", "group": 2}, "at most 0.5, but one is 0.6"),
    ],
)
def test_features_are_checked(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        Features(**{"n_features": 6, "density": (0.5,), **wrong})


def test_settings_are_checked():
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        Training(steps=0)
    with pytest.raises(ValueError, match="d_hidden must be at least 1"):
        Shape(3, 0)
    with pytest.raises(ValueError, match="the features are 4, but the model takes 3"):
        train(Shape(3, 1), Features(4, (0.5,)), torch.ones(3), Training(steps=1))
    with pytest.raises(ValueError, match="importance must be"):
        train(Shape(3, 1), Features(3, (0.5,)), torch.ones(2), Training(steps=1))


@pytest.mark.parametrize(
    "shape",
    [
        Shape(5, 2),
        Shape(5, 2, output="linear"),
        Shape(5, 3, decoder="untied"),
        Shape(5, 4, decoder="untied", hidden="relu"),
    ],
)
def test_a_model_is_its_formula(shape):
    model = ToyModel.start(shape, 3, Generator().manual_seed(0), initial_bias=-0.1)
    x = torch.rand(3, 5, 7, generator=Generator().manual_seed(1))
    for i in range(3):
        W = model.encoder[i]
        V = W.T if model.decoder is None else model.decoder[i]
        for t in range(7):
            h = W @ x[i, :, t]
            if shape.hidden == "relu":
                h = torch.relu(h - 0.1)
            out = V @ h + model.bias[i]
            out = torch.relu(out) if shape.output == "relu" else out
            assert torch.allclose(model(x)[i, :, t], out, atol=1e-6)


@pytest.mark.parametrize(
    "shape", [Shape(4, 3), Shape(4, 3, decoder="untied", hidden="relu", output="linear")]
)
def test_mean_jacobian_is_the_mean_of_jacobians(shape):
    model = ToyModel.start(shape, 2, Generator().manual_seed(0), initial_bias=-0.1)
    x = torch.rand(2, 4, 5, generator=Generator().manual_seed(1))
    for i in range(2):
        slopes = [
            torch.autograd.functional.jacobian(
                lambda v, i=i: model(v.expand(2, -1)[..., None])[i, :, 0], x[i, :, t]
            )
            for t in range(5)
        ]
        expected = torch.stack([torch.as_tensor(slope) for slope in slopes]).mean(0)
        assert torch.allclose(model.mean_jacobian(x)[i], expected, atol=1e-6)


def test_one_tensor_is_a_loop_of_single_models():
    """The instances do not touch: each one's path is that of a model trained alone."""
    shape, features = Shape(5, 2), Features(5, (0.1, 0.9, 0.4))
    training, importance = Training(steps=30, batch=64), 0.9 ** torch.arange(5)
    together = train(shape, features, importance, training)

    generator = Generator().manual_seed(0)
    start = ToyModel.start(shape, 3, generator)
    batches = [features.sample(64, generator) for _ in range(30)]
    for i in range(3):
        W, b = (p[i].clone().requires_grad_() for p in (start.encoder, start.bias))
        optimiser = torch.optim.AdamW([W, b], lr=1e-3, weight_decay=0.01)
        for batch in batches:
            x = batch[i].T
            loss = (importance * (x - torch.relu(x @ W.T @ W + b)) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        assert torch.allclose(together.encoder[i], W, atol=1e-5)
        assert torch.allclose(together.bias[i], b, atol=1e-5)


def test_training_is_seeded_and_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    ours, again = (
        train(Shape(5, 2), Features(5, (0.1,)), torch.ones(5), Training(steps=5)) for _ in range(2)
    )
    assert torch.equal(ours.encoder, again.encoder)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_linear_model_reaches_the_floor_of_principal_components():
    features, importance = Features(4, (0.5,)), 0.5 ** torch.arange(4)
    model = train(
        Shape(4, 2, output="linear"),
        features,
        importance,
        Training(steps=1500, batch=512, learning_rate=0.01, weight_decay=0),
    )
    loss, error = evaluate(model, features, importance, seed=1)
    lower_bound = pca_bound(features, importance.double()[None], 2)
    assert float(loss) == pytest.approx(float(lower_bound), rel=0.02)
    assert not broken(check_lower_bounds(model, features, importance, loss, error))


def test_a_model_below_a_floor_is_caught():
    features = Features(4, (1.0,))
    model = ToyModel.start(Shape(4, 2, output="linear"), 1, Generator().manual_seed(0))
    cheat = torch.zeros(1, dtype=torch.float64)
    bounds = {
        lower_bound.bound
        for lower_bound in broken(check_lower_bounds(model, features, torch.ones(4), cheat, cheat))
    }
    assert len(bounds) == 2


def test_entropy_floor_is_below_the_best_linear_model_and_zero_without_a_bottleneck():
    features, importance = Features(6, (0.3, 1.0)), torch.ones(2, 6, dtype=torch.float64)
    for d_hidden in range(1, 6):
        low, high = (bound(features, importance, d_hidden) for bound in (entropy_bound, pca_bound))
        assert bool((low > 0).all())
        assert bool((low < high).all())
    assert torch.equal(entropy_bound(features, importance, 6), torch.zeros(2).double())
    # one dimension for two active features: 1/(4πe) each time both are active
    pair = entropy_bound(Features(2, (0.5,)), torch.ones(1, 2).double(), 1)
    assert float(pair) == pytest.approx(0.25 / (4 * np.pi * np.e) / 2)


def test_a_few_pentagons_form():
    model = train(
        Shape(5, 2), Features(5, (0.05,) * 10), torch.ones(5), Training(steps=2500, batch=512)
    )
    names = [sp.read_geometry(W).name for W in model.encoder]
    assert names.count("pentagon") >= 5
