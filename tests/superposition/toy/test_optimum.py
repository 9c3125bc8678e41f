import numpy as np
import pytest
import torch

from myopia.superposition.toy.optimum import (
    antipodal_boundary,
    antipodal_loss,
    dropped_loss,
    expected_loss,
    optimum,
    superposition_boundary,
)


def sampled_loss(W, bias, density, importance, samples=400_000):
    generator = np.random.default_rng(0)
    x = generator.uniform(size=(samples, W.shape[1]))
    x *= generator.uniform(size=x.shape) < density
    out = np.maximum(0, x @ W.T @ W + bias)
    losses = (importance * (x - out) ** 2).sum(1)
    return losses.mean(), losses.std() / samples**0.5


@pytest.mark.parametrize(("m", "n"), [(1, 1), (1, 2), (2, 3), (2, 4)])
@pytest.mark.parametrize("density", [0.2, 0.9])
def test_quadrature_agrees_with_sampling(m, n, density):
    generator = np.random.default_rng(m + n)
    W, bias = generator.normal(size=(m, n)), 0.3 * generator.normal(size=n)
    importance = generator.uniform(0.5, 2, size=n)
    exact = expected_loss(
        *(torch.tensor(a)[None] for a in (W, bias)),
        torch.tensor([density]).double(),
        torch.tensor(importance)[None],
    )
    mean, error = sampled_loss(W, bias, density, importance)
    assert float(exact) == pytest.approx(mean, abs=4 * error)


def test_closed_forms():
    p = 0.37
    pair, bias = torch.tensor([[[1.0, -1.0]]]).double(), torch.zeros(1, 2).double()
    density, importance = torch.tensor([p]).double(), torch.tensor([[1, 0.4]]).double()
    exact = expected_loss(pair, bias, density, importance)
    assert float(exact) == pytest.approx(antipodal_loss(p, 0.4), abs=1e-8)
    sparsity = 1 - p
    assert dropped_loss(p) == pytest.approx((1 - sparsity) * (1 + 3 * sparsity) / 12)
    edge = antipodal_boundary(0.4)
    assert antipodal_loss(edge, 0.4) == pytest.approx(0.4 * dropped_loss(edge))


def test_boundary_is_beyond_the_closed_form():
    assert superposition_boundary(0.3) > antipodal_boundary(0.3)
    with pytest.raises(ValueError, match="importance must be positive, but is 0"):
        superposition_boundary(0)


def test_optimum_is_on_the_right_side_of_the_boundary():
    density = torch.tensor([0.3, 0.45])
    importance = torch.tensor([[1.0, 0.3]] * 2)
    W, _, loss = optimum(density, importance, 1, starts=4, steps=400)
    assert [bool((w.abs() > 0.5).all()) for w in W] == [True, False]
    assert float(loss[1]) == pytest.approx(0.3 * dropped_loss(0.45), abs=1e-5)


def test_too_many_features_are_refused():
    with pytest.raises(ValueError, match="at most 4 features, but there are 5"):
        expected_loss(torch.ones(1, 2, 5), torch.ones(1, 5), torch.ones(1), torch.ones(1, 5))
