"""Every metric against a slow loop, between numpy and torch, and at the edges."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from myopia import superposition as sp
from myopia.superposition.metrics.metric import METRICS, Reading

OF_COLUMNS = [
    sp.features_per_dimension,
    sp.dimensions_per_feature,
    sp.feature_norms,
    sp.represented_features,
    sp.feature_dimensionality,
    sp.capacity,
    sp.interference,
    sp.interference_matrix,
    sp.cosines,
]
OF_ACTIVATIONS = [
    sp.effective_rank,
    sp.participation_ratio,
    sp.srank,
    sp.dormant_ratio,
    sp.saturation,
]
EVERY = [*OF_COLUMNS, *OF_ACTIVATIONS, sp.functional_dimensionality]

entries = st.one_of(st.just(0.0), st.floats(0.01, 100), st.floats(-100, -0.01))
matrices = st.tuples(st.integers(1, 5), st.integers(1, 6)).flatmap(
    lambda shape: arrays(float, shape, elements=entries)
)


@pytest.fixture(name="W")
def batch_with_a_zero_column():
    matrix = np.random.default_rng(0).normal(size=(3, 4, 6))
    matrix[1, :, 2] = 0
    return matrix


def slow_dimensionality(W):
    d, n = W.shape
    values = []
    for i in range(n):
        norm = math.sqrt(sum(W[k, i] ** 2 for k in range(d)))
        if norm == 0:
            values.append(0.0)
            continue
        unit = [W[k, i] / norm for k in range(d)]
        shared = sum(sum(unit[k] * W[k, j] for k in range(d)) ** 2 for j in range(n))
        values.append(norm**2 / shared)
    return np.array(values)


def slow_interference(W):
    d, n = W.shape
    values = []
    for i in range(n):
        norm = math.sqrt(sum(W[k, i] ** 2 for k in range(d)))
        pairs = (sum(W[k, i] / (norm or 1) * W[k, j] for k in range(d)) for j in range(n) if j != i)
        values.append(sum(pair**2 for pair in pairs))
    return np.array(values)


def slow_functional(M):
    return np.array(
        [M[i, i] ** 2 / sum(M[i, j] ** 2 for j in range(len(M))) for i in range(len(M))]
    )


def slow_dormant(H, tau=0.025):
    activity = [sum(abs(h) for h in H[:, k]) / len(H) for k in range(H.shape[1])]
    return sum(a <= tau * sum(activity) / len(activity) for a in activity) / len(activity)


def slow_srank(X, delta=0.01):
    values = np.linalg.svd(X, compute_uv=False)
    return next(k for k in range(1, 99) if sum(values[:k]) / sum(values) >= 1 - delta)


@pytest.mark.parametrize("b", range(3))
def test_columns_agree_with_a_loop(W, b):
    assert np.allclose(sp.feature_dimensionality(W)[b], slow_dimensionality(W[b]), atol=1e-12)
    assert np.allclose(sp.interference(W)[b], slow_interference(W[b]), atol=1e-12)
    total = sum(float(x) ** 2 for x in W[b].flat)
    assert sp.features_per_dimension(W)[b] == pytest.approx(total / 4)
    assert sp.dimensions_per_feature(W)[b] == pytest.approx(4 / total)


def test_activations_agree_with_a_loop():
    X = np.abs(np.random.default_rng(1).normal(size=(2, 30, 5))) * [1, 2, 3, 4, 0.01]
    for b in range(2):
        values = np.linalg.svd(X[b], compute_uv=False)
        share = values / values.sum()
        assert sp.effective_rank(X)[b] == pytest.approx(math.exp(-sum(share * np.log(share))))
        assert sp.participation_ratio(X)[b] == pytest.approx(sum(values**2) ** 2 / sum(values**4))
        assert sp.srank(X)[b] == slow_srank(X[b])
        assert sp.dormant_ratio(X)[b] == slow_dormant(X[b]) == pytest.approx(0.2)
        assert sp.saturation(X)[b] == pytest.approx(np.mean(np.abs(X[b]) >= 0.99))
        M = X[b, :5]
        assert np.allclose(sp.functional_dimensionality(M), slow_functional(M))


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.__name__)
def test_numpy_and_torch_agree(metric):
    given = np.random.default_rng(2).normal(size=(2, 5, 5))
    ours, theirs = metric(given), metric(torch.from_numpy(given))
    assert isinstance(theirs, torch.Tensor)
    assert not isinstance(ours, torch.Tensor)
    assert np.allclose(ours, theirs.numpy(), rtol=1e-13, atol=0)


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.__name__)
def test_strides_integers_and_batches(metric):
    given = np.random.default_rng(3).integers(-3, 4, size=(2, 5, 10)) * 2
    whole = metric(given[..., ::2].astype(float))
    assert np.allclose(metric(given[..., ::2]), whole, rtol=1e-12)
    assert np.allclose(metric(given[..., ::-1][..., 1::2][..., ::-1]), whole, rtol=1e-12)
    assert np.allclose(metric(torch.from_numpy(given)[..., ::2]).numpy(), whole, rtol=1e-12)
    assert np.allclose(metric(given[1, :, ::2]), whole[1], rtol=1e-12)
    assert np.allclose(metric(given[None, ..., ::2])[0], whole, rtol=1e-12)


@pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.__name__)
@pytest.mark.parametrize(
    "wrong",
    [
        [[1.0, math.nan]] * 2,
        [[1.0, math.inf]] * 2,
        [1.0, 2.0],
        np.zeros((0, 3)),
        [["a", "b"]] * 2,
        [[1j, 2j]] * 2,
    ],
    ids=["nan", "inf", "vector", "empty", "text", "complex"],
)
def test_wrong_input_is_refused_in_one_sentence(metric, wrong):
    with pytest.raises(ValueError, match=r"^[WXHM] must ") as refusal:
        metric(wrong)
    assert "\n" not in str(refusal.value)


@settings(deadline=None)
@given(matrices)
def test_dimensionality_is_capacity_and_functional_of_the_gram(W):
    dimensionality = sp.feature_dimensionality(W)
    assert np.allclose(dimensionality, sp.capacity(W), rtol=0, atol=1e-12)
    assert np.allclose(dimensionality, sp.functional_dimensionality(W.T @ W), rtol=0, atol=1e-12)


@settings(deadline=None)
@given(matrices)
def test_dimensionality_is_a_share(W):
    dimensionality = sp.feature_dimensionality(W)
    assert np.all((dimensionality >= 0) & (dimensionality <= 1 + 1e-12))
    assert dimensionality.sum() <= np.linalg.matrix_rank(W) + 1e-9
    assert np.array_equal(dimensionality > 0, np.any(W != 0, axis=0))


@settings(deadline=None)
@given(matrices, st.floats(1e-3, 1e3), st.integers(0, 9))
def test_what_scale_and_rotation_do(W, scale, seed):
    Q = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(W), len(W)))).Q
    turned = scale * Q @ W
    assert np.allclose(sp.feature_dimensionality(turned), sp.feature_dimensionality(W), atol=1e-9)
    assert np.allclose(
        sp.features_per_dimension(turned), scale**2 * sp.features_per_dimension(W), rtol=1e-9
    )


@settings(deadline=None)
@given(matrices, st.lists(st.integers(1, 3), min_size=5, max_size=5))
def test_whole_weights_repeat_rows(X, counts):
    counts = np.array(counts[: len(X)])
    for metric in OF_ACTIVATIONS:
        if metric is not sp.srank:  # a step function, that rounding may push over its edge
            weighted, repeated = metric(X, weights=counts), metric(np.repeat(X, counts, axis=0))
            if metric is sp.dormant_ratio and weighted != repeated:
                continue  # likewise, at activity == tau * mean
            assert np.allclose(weighted, repeated, rtol=1e-6, atol=1e-6)


@settings(deadline=None)
@given(matrices)
def test_ranks_are_ordered(X):
    rank = np.linalg.matrix_rank(X)
    assert sp.participation_ratio(X) <= rank + 1e-6
    assert sp.effective_rank(X) <= rank * (1 + 1e-3) + 1e-6
    assert 0 <= sp.srank(X) <= min(X.shape)


def test_edges():
    zero = np.zeros((2, 3))
    assert np.array_equal(sp.feature_dimensionality(zero), [0, 0, 0])
    assert np.array_equal(sp.capacity(zero), [0, 0, 0])
    assert np.array_equal(sp.interference(zero), [0, 0, 0])
    assert sp.effective_rank(zero) == sp.participation_ratio(zero) == sp.srank(zero) == 0
    assert sp.dormant_ratio(zero) == 1
    assert sp.dimensions_per_feature(zero) == math.inf
    assert np.allclose(sp.feature_dimensionality([[3.0]]), 1)
    assert np.allclose(sp.feature_dimensionality(np.eye(4)[:, :2]), 1)
    tiny = np.array([[1e-200, 1.0], [1e-200, 0.0]])
    assert sp.feature_dimensionality(tiny[:, :1]) == pytest.approx(1)
    assert sp.feature_norms(tiny)[0] == pytest.approx(math.sqrt(2) * 1e-200)
    huge = np.array([[1e200, 0.0], [0.0, 1e200]])
    assert np.allclose(sp.capacity(huge), 1)
    assert np.allclose(sp.functional_dimensionality(huge), 1)


def test_which_axis_holds_the_features(W):
    turned = np.swapaxes(W, -1, -2)
    for metric in OF_COLUMNS:
        assert np.array_equal(metric(turned, feature_axis=-2), metric(W))
        assert np.array_equal(metric(turned, feature_axis=1), metric(W))
        with pytest.raises(ValueError, match=r"feature_axis .* but is 0: use -1 or -2"):
            metric(W, feature_axis=0)
    assert sp.features_per_dimension(W[0].T, feature_axis=0) == sp.features_per_dimension(W[0])


def test_settings_are_checked():
    X = np.eye(3)
    with pytest.raises(ValueError, match="delta must lie between 0 and 1, but is 1"):
        sp.srank(X, delta=1)
    with pytest.raises(ValueError, match="tau must not be negative, but is -1"):
        sp.dormant_ratio(X, tau=-1)
    with pytest.raises(ValueError, match="one per sample, 3, but are 2"):
        sp.effective_rank(X, weights=[1, 1])
    with pytest.raises(ValueError, match="not be negative"):
        sp.effective_rank(X, weights=[1, 1, -1])
    with pytest.raises(ValueError, match="M must be square"):
        sp.functional_dimensionality(X[:2])


def test_the_input_is_left_alone():
    W = torch.ones(2, 3, requires_grad=True)
    sp.feature_dimensionality(W).sum().backward()
    assert W.grad is not None
    given = np.eye(3)
    given.flags.writeable = False
    sp.effective_rank(given)


@pytest.mark.parametrize("activation", ["linear", "relu", "tanh"])
@pytest.mark.parametrize("name", METRICS)
def test_every_registered_metric_is_a_number_or_one_per_feature(name, activation):
    generator = torch.Generator().manual_seed(0)
    columns = torch.randn(4, 6, generator=generator, dtype=torch.float64)
    activations = torch.randn(20, 4, generator=generator, dtype=torch.float64)
    reading = Reading(columns, columns.T @ columns, activations, activation)
    found = METRICS[name](reading)
    if found is None:
        assert activation != {"dormant ratio": "relu", "saturation": "tanh"}.get(name)
        return
    assert found.shape in ((), (6,))
    assert torch.isfinite(found).all()
    weighed = replace(reading, weights=torch.ones(20, dtype=torch.float64))
    torch.testing.assert_close(METRICS[name](weighed), found)
    blind = replace(reading, columns=None, decoded=None)
    of_features = METRICS[name](blind) is None
    assert of_features or torch.equal(METRICS[name](blind), found)


def test_a_metric_joins_once():
    with pytest.raises(ValueError, match="a metric named 'srank' is registered already"):
        METRICS.register(of="reading", name="srank")(lambda reading: None)
