import numpy as np
import pytest
import torch

from myopia import superposition as sp
from myopia.superposition.readout import decoded_map, feature_directions, standardise


@pytest.fixture
def layer():
    generator = np.random.default_rng(0)
    F = generator.normal(size=(500, 4)) * [1, 2, 3, 4] + [0, 1, 5, -3]
    W = generator.normal(size=(3, 4))
    return F, W, F @ W.T + generator.normal(size=3)


def test_directions_of_a_linear_layer_are_its_weights(layer):
    F, W, H = layer
    assert np.allclose(feature_directions(F, H), W)


def test_decoded_map_is_a_projection_under_whitened_features(layer):
    F, W, _ = layer
    white = F - F.mean(0)
    white = white @ np.linalg.inv(np.linalg.cholesky(np.cov(white.T, bias=True)).T)
    M = decoded_map(white, white @ W.T)
    assert np.allclose(M, np.linalg.pinv(W) @ W, atol=1e-8)


def test_decoded_map_keeps_under_invertible_maps_splits_and_dead_units(layer):
    F, _, H = layer
    generator = np.random.default_rng(1)
    H = np.tanh(H / 5)
    M = decoded_map(F, H)
    assert np.allclose(decoded_map(F, H @ generator.normal(size=(3, 3))), M, atol=1e-9)
    assert np.allclose(decoded_map(F, H * [1e-4, 1, 1e4]), M, atol=1e-9)
    grown = np.concatenate([H, H[:, :1], np.zeros((500, 2))], axis=1)
    assert np.allclose(decoded_map(F, grown), M, atol=1e-9)


def test_whole_weights_repeat_samples(layer):
    F, _, H = layer
    counts = np.random.default_rng(2).integers(1, 4, size=500)
    H = np.tanh(H)
    for read in (feature_directions, decoded_map):
        repeated = read(np.repeat(F, counts, axis=0), np.repeat(H, counts, axis=0))
        assert np.allclose(read(F, H, weights=counts), repeated)


def test_functional_dimensionality_keeps_under_a_change_of_unit_once_standardised(layer):
    F, _, H = layer
    H = np.tanh(H)
    units = np.array([1e3, 1, 1e-3, 5])
    before, after = (
        sp.functional_dimensionality(decoded_map(standardise(X)[0], H)) for X in (F, F * units)
    )
    assert torch.allclose(before, after, atol=1e-9)


def test_constant_features_become_zero():
    F = np.stack([np.arange(5.0), np.full(5, 0.1)], axis=1)
    scaled, mean, spread = standardise(F)
    assert torch.equal(scaled[:, 1], torch.zeros(5, dtype=torch.float64))
    assert (mean[1], spread[1]) == (pytest.approx(0.1), 0)
    assert scaled[:, 0].std(correction=0) == pytest.approx(1)


def test_collinear_features_are_named(layer):
    F, _, H = layer
    doubled = np.concatenate([F, F[:, 1:2] * 2], axis=1)
    for read in (feature_directions, decoded_map):
        with pytest.raises(ValueError, match=r"features \[1, 4\] are collinear"):
            read(doubled, H)
    with pytest.raises(ValueError, match="same samples"):
        decoded_map(F[1:], H)
