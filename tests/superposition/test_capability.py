"""Interpretable capability against capability: by hand, and in toy models small enough to know."""

import numpy as np
import pytest

from myopia.superposition.capability import Measured, answers, curve, figure, valley
from myopia.superposition.statistics import mean_interval
from myopia.superposition.toy import Training
from myopia.superposition.toy.experiments import capability
from myopia.superposition.toy.experiments.experiment import EXPERIMENTS


def measured(dimensionality, causal=True, r2=1.0, gain=0.0):
    """Two seeds of three variables that are worth 1, 2 and 3."""
    full = np.ones((2, 3))
    return Measured(
        worth=full * [1, 2, 3], r2=full * r2, chance=full * 0.5,
        dimensionality=full * dimensionality, gain=full * gain,
        causal=np.full((2, 3), causal),
    )  # fmt: skip


def test_the_rule_by_hand():
    some = measured([0.9, 0.7, 0.1])
    assert some.capability().tolist() == [[1, 2, 3]] * 2
    assert some.interpretable(0.8).tolist() == [[True, False, False]] * 2
    kept, share = some.totals(0.6)
    assert kept.tolist() == [3, 3]
    assert share.tolist() == [0.5, 0.5]
    assert not measured(1.0, causal=False).interpretable(0.6).any()
    assert measured(0.0, gain=0.21).interpretable(0.95).all()
    assert not measured(0.0, gain=0.2).interpretable(0.95).any()
    assert measured(0.0, r2=-3.0).totals(0.8)[1].tolist() == [0, 0]  # no capability: no share


def test_a_valley_is_found_beyond_the_intervals_only():
    deep = {1: measured(1.0), 2: measured([1.0, 0, 0]), 4: measured(0.1), 8: measured(1.0)}
    rows = curve("deep", deep)
    assert [row["share"] for row in rows] == pytest.approx([1, 1 / 6, 0, 1])
    assert rows[0]["random network"] == 3
    assert valley(rows, "share") == 4
    assert answers(rows) == {"valley in the total, deep": 4, "valley in the share, deep": 4}
    for row in rows:
        row["share low"], row["share high"] = row["share"] - 1, row["share"] + 1
    assert valley(rows, "share") is None
    rising = curve("rising", {1: measured(0.0), 2: measured([1.0, 0, 0]), 4: measured(1.0)})
    assert valley(rising, "share") is valley(rising, "interpretable") is None
    drawn = figure(rows).axes
    assert drawn[0].get_lines()[1].get_ydata() == pytest.approx([6, 1, 0, 6])


def test_the_interval_of_a_mean():
    mean, low, high = mean_interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert high - mean == pytest.approx(4.303 / 3**0.5, rel=1e-3)  # t of 2 degrees of freedom
    assert mean - low == pytest.approx(high - mean)
    assert mean_interval([5.0]) == (5.0, 5.0, 5.0)
    with pytest.raises(ValueError, match="no value"):
        mean_interval([])


def test_a_model_with_room_for_all_is_interpretable_throughout(monkeypatch):
    monkeypatch.setattr(capability, "WIDTHS", (2, 8))
    monkeypatch.setattr(capability, "FEATURES", 8)
    monkeypatch.setattr(capability, "SEEDS", 2)
    worlds = {name: weight[:8] for name, weight in capability.WORLDS.items()}
    monkeypatch.setattr(capability, "WORLDS", worlds)
    training = Training(steps=1200, batch=256, learning_rate=3e-3)
    result = EXPERIMENTS["capability"].run(training)
    rows = {(row["world"], row["width"]): row for row in result.rows}
    assert rows["finite", 8]["share"] > 0.9
    assert rows["finite", 8]["capability"] > 0.95
    assert rows["finite", 2]["share"] < 0.5
    assert rows["finite", 8]["random network"] == pytest.approx(1)  # square: invertible
    assert all(lower_bound.holds for lower_bound in result.lower_bounds)
