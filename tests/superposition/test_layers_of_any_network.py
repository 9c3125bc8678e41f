"""Erasure, matched directions, probes, similarity: against closed forms and slow versions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from myopia.superposition.erasure import erase
from myopia.superposition.linear_decoder import best_r2, held_out_r2, linear_r2, whole_groups
from myopia.superposition.random_directions import matched_directions
from myopia.superposition.similarity import linear_cka, procrustes_distance


def data(seed, samples=200, units=6, concepts=2):
    draw = np.random.default_rng(seed)
    Z = draw.normal(size=(samples, concepts))
    H = draw.normal(size=(samples, units)) @ draw.normal(size=(units, units))
    H = H + Z @ draw.normal(size=(concepts, units)) + 5
    return H, Z, draw.random(samples) + 0.1


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_nothing_linear_is_left_of_an_erased_concept(seed):
    H, Z, weights = data(seed)
    erased = erase(H, Z, weights)(torch.from_numpy(H))
    assert linear_r2(H, Z, weights).min() > 0.02
    assert linear_r2(erased, Z, weights).max() < 1e-9


def test_erasure_moves_less_than_any_other_that_erases():
    H, Z, _ = data(0, concepts=1)
    erasure = erase(H, Z)
    moved = (erasure(torch.from_numpy(H)) - torch.from_numpy(H)).square().sum(1).mean()
    # the orthogonal projection away from the covariance with the concept erases it, too
    away = (H - H.mean(0)).T @ (Z - Z.mean())
    away = away / np.linalg.norm(away)
    projected = H - (H - H.mean(0)) @ away @ away.T
    assert linear_r2(projected, Z).max() < 1e-9
    assert moved < np.square(projected - H).sum(1).mean()


def test_what_a_layer_does_not_know_is_not_erased():
    H, Z, _ = data(1)
    centred = np.linalg.qr(np.column_stack([np.ones(len(H)), H, Z]))[0][:, 7:]  # Z without H
    kept = erase(H, centred)(torch.from_numpy(H))
    assert torch.allclose(kept, torch.from_numpy(H), atol=1e-8)
    dead = np.zeros((len(H), 3))
    assert torch.equal(erase(dead, Z)(torch.from_numpy(dead)), torch.from_numpy(dead))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_matched_directions_match_in_length_and_in_variance(seed):
    H, _, _ = data(seed)
    H[:, 0] = 0  # a dead unit
    covariance = torch.from_numpy(np.cov(H.T))
    direction = torch.from_numpy(np.random.default_rng(seed).normal(size=6))
    direction[0] = 0
    generator = torch.Generator().manual_seed(seed)
    found = matched_directions(direction, covariance, 50, generator)
    assert torch.allclose(found.norm(dim=1), direction.norm().expand(50), rtol=1e-6)
    forms = ((found @ covariance) * found).sum(1)
    assert torch.allclose(forms, (direction @ covariance @ direction).expand(50), rtol=1e-6)
    assert found[:, 0].abs().max() < 1e-9
    # beside the largest or the smallest eigenvalue there is little choice left
    assert len(found.round(decimals=6).unique(dim=0)) > 1


def test_several_directions_are_matched_at_once():
    covariance = torch.diag(torch.tensor([1.0, 2, 3, 4])).double()
    directions = torch.tensor([[0, 1.0, 1, 0], [2, 0, 0, 1.0]]).double()
    found = matched_directions(directions, covariance, 20, torch.Generator().manual_seed(0))
    assert found.shape == (2, 20, 4)
    forms = ((found @ covariance) * found).sum(2)
    assert torch.allclose(forms, torch.tensor([[5.0], [8.0]]).double().expand(2, 20))
    assert len(found.flatten(0, 1).round(decimals=6).unique(dim=0)) == 40


def test_nothing_matches_a_direction_that_is_empty():
    with pytest.raises(ValueError, match="nothing can match it"):
        matched_directions(torch.zeros(3).double(), torch.eye(3).double(), 5, torch.Generator())


def test_linear_r2_is_that_of_weighted_least_squares():
    H, Z, weights = data(2)
    ones = np.column_stack([H, np.ones(len(H))])
    root = np.sqrt(weights)[:, None]
    fitted = ones @ np.linalg.lstsq(root * ones, root * Z, rcond=None)[0]
    mean = np.average(Z, axis=0, weights=weights)
    left = np.average((Z - fitted) ** 2, axis=0, weights=weights)
    expected = 1 - left / np.average((Z - mean) ** 2, axis=0, weights=weights)
    assert np.allclose(linear_r2(H, Z, weights), expected)


def test_held_out_r2_sees_through_labels_learnt_by_heart():
    draw = torch.Generator().manual_seed(0)
    H = torch.randn(120, 60, generator=draw).double()
    noise = torch.randn(120, 1, generator=draw).double()
    known = H[:, :1] * 3 + 0.01 * noise
    folds = whole_groups(torch.arange(120) // 4, 5, draw)
    noisy, clean, constant = held_out_r2(H, torch.cat([noise, known, 0 * noise], 1), folds).tolist()
    assert noisy < 0.05
    assert clean > 0.98
    assert constant == 0
    assert linear_r2(H, noise).item() > 0.4  # fitted and scored on the same samples


def test_groups_are_not_divided():
    groups = torch.tensor([3, 3, 1, 1, 2, 2, 2, 9])
    folds = whole_groups(groups, 3, torch.Generator().manual_seed(0))
    for group in groups.unique():
        assert len(folds[groups == group].unique()) == 1
    assert len(folds.unique()) == 3


def test_one_fold_is_refused():
    with pytest.raises(ValueError, match="one fold only"):
        held_out_r2(torch.randn(4, 2), torch.randn(4, 1), torch.zeros(4))


def test_the_best_predictor_by_hand():
    observations = np.array([[0.0], [0.0], [1.0], [1.0]])
    Z = np.array([[0.0], [2.0], [3.0], [3.0]])
    # within the first group the variance is 1, in half of the samples; in all it is 1.5
    assert best_r2(observations, Z).item() == pytest.approx(1 - 0.5 / 1.5)
    assert best_r2(np.zeros((4, 1)), Z).item() == pytest.approx(0)


def test_similarity_does_not_see_rotations_and_sees_the_rest():
    H, _, weights = data(3)
    turn = np.linalg.qr(np.random.default_rng(4).normal(size=(6, 6)))[0]
    assert linear_cka(H, 3 * H @ turn + 1, weights) == pytest.approx(1)
    assert procrustes_distance(H, 3 * H @ turn + 1, weights) == pytest.approx(0, abs=1e-9)
    other = np.random.default_rng(5).normal(size=(200, 6))
    assert linear_cka(H, other, weights) < 0.3
    assert procrustes_distance(H, other, weights) > 0.5
    assert linear_cka(H, np.column_stack([H, H]), weights) == pytest.approx(1)


def test_cka_is_the_alignment_of_the_kernels():
    H, Z, _ = data(6)
    centre = np.eye(200) - 1 / 200
    one, two = centre @ H @ H.T @ centre, centre @ Z @ Z.T @ centre
    slow = (one * two).sum() / np.linalg.norm(one) / np.linalg.norm(two)
    assert linear_cka(H, Z) == pytest.approx(slow)


def test_a_constant_layer_is_like_nothing():
    with pytest.raises(ValueError, match="constant over the samples"):
        linear_cka(np.ones((5, 2)), np.eye(5))
