"""Statistics over seeds: by hand, and by how often the intervals hold."""

import numpy as np
import pytest

from myopia.analysis.report.statistics import (
    interquartile_mean,
    performance_profile,
    probability_of_improvement,
)


def test_by_hand() -> None:
    assert interquartile_mean([0, 1, 2, 3, 4, 5, 6, 1000]).value == pytest.approx(3.5)
    assert probability_of_improvement([3, 4], [1, 3]).value == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    profile = performance_profile([0.2, 0.4, 0.9], [0.0, 0.3, 0.9])
    assert [point.value for point in profile] == pytest.approx([1, 2 / 3, 0])


def test_seeded() -> None:
    scores = np.random.default_rng(0).normal(size=10)
    assert interquartile_mean(scores) == interquartile_mean(scores)
    assert interquartile_mean(scores, seed=1) != interquartile_mean(scores)


def test_intervals_hold_about_as_often_as_they_say() -> None:
    """40 normal samples of 20 seeds: percentile intervals of 95 % miss the centre a few times."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(40):
        _, low, high = interquartile_mean(rng.normal(size=20))
        held += low <= 0 <= high
    assert held >= 33


def test_one_seed_has_no_interval() -> None:
    value, low, high = interquartile_mean([0.7])
    assert value == 0.7
    assert np.isnan([low, high]).all()


@pytest.mark.parametrize("scores", [[], [np.nan], [[1.0]]])
def test_nothing_to_average_is_refused(scores) -> None:
    with pytest.raises(ValueError, match="expected at least one finite number"):
        interquartile_mean(scores)
