"""Learning curves: the monotone fit against its slow definition, and reading it both ways."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myopia.agents.monitoring.learning_curve import LearningCurve

scores = st.lists(st.floats(-10, 10), min_size=1, max_size=12)


def slow_fit(score: np.ndarray) -> list[float]:
    """Min-max formula of isotonic regression (Barlow et al. 1972)."""
    n = len(score)
    return [
        max(min(score[a : b + 1].mean() for b in range(i, n)) for a in range(i + 1))
        for i in range(n)
    ]


@given(scores)
def test_fit_is_the_slow_one(score) -> None:
    compute = np.arange(1, len(score) + 1)
    np.testing.assert_allclose(
        LearningCurve(compute, score).fit, slow_fit(np.array(score)), atol=1e-9
    )
    falling = LearningCurve(compute, np.negative(score), increasing=False)
    np.testing.assert_allclose(falling.fit, -np.array(slow_fit(np.array(score))), atol=1e-9)


@given(scores, st.floats(0, 1))
def test_reached_where_it_is_as_good(score, place) -> None:
    curve = LearningCurve(np.geomspace(1, 1e6, len(score)), score)
    aim = curve.fit[0] + place * (curve.fit[-1] - curve.fit[0])
    compute = curve.compute_at(min(aim, curve.fit[-1]))
    assert compute is not None
    assert curve.at(compute) == pytest.approx(aim, abs=1e-6)
    assert curve.at(compute * 0.99) <= aim + 1e-9


@given(scores)
def test_nothing_is_reached_later_than_where_it_stands(score) -> None:
    curve = LearningCurve(np.geomspace(1, 1e6, len(score)), score)
    for compute, value in zip(curve.points, curve.fit, strict=True):
        assert (curve.compute_at(value) or np.inf) <= compute * (1 + 1e-9)


def test_by_hand() -> None:
    """1, 3, 2, 5: the dip is levelled to 2.5, and half of the way from 1 to 2.5 is at 10 ** .5."""
    curve = LearningCurve([1, 10, 100, 1000], [1, 3, 2, 5])
    np.testing.assert_allclose(curve.fit, [1, 2.5, 2.5, 5])
    assert curve.compute_at(1.75) == pytest.approx(10**0.5)
    assert curve.compute_at(2.5) == pytest.approx(10)
    assert curve.compute_at(0) == 1
    assert curve.compute_at(5.1) is None
    assert curve.at(1e6) == 5
    loss = LearningCurve([1, 10], [2.0, 1.0], increasing=False)
    assert loss.compute_at(1.5) == pytest.approx(10**0.5)
    assert loss.compute_at(0.5) is None


def test_points_in_any_order_and_twice() -> None:
    curve = LearningCurve([100, 1, 100], [4, 1, 2])
    np.testing.assert_allclose(curve.points, [1, 100])
    np.testing.assert_allclose(curve.fit, [1, 3])


@pytest.mark.parametrize(
    ("compute", "score", "said"),
    [
        ([], [], "at least one"),
        ([1, 2], [1], "one score for each compute"),
        ([0], [1], "compute above 0"),
        ([1], [np.nan], "finite scores"),
    ],
)
def test_bad_points_are_refused(compute, score, said) -> None:
    with pytest.raises(ValueError, match=said):
        LearningCurve(compute, score)
