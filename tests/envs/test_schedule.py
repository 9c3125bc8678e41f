"""Schedules: the formulas by hand, text there and back, and everything that is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myopia.envs import Schedule

FLAT = [0.0] * 12


@pytest.mark.parametrize(
    ("text", "weight", "upkeep", "cutoff"),
    [
        ("linear:cutoff=4,upkeep=0.5", [1, 0.75, 0.5, 0.25, 0, 0], [0, 0, 0, 0, 0.5, 0.5], 4),
        ("geometric:rate=0.5,cutoff=3", [1, 0.5, 0.25, 0, 0, 0], [0, 0, 0, 0.5, 0.5, 0.5], 3),
        ("step:cutoff=2,upkeep=1", [1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 1], 2),
        ("constant", [1] * 6, [0] * 6, None),
        ("linear:cutoff=2,upkeep=0", [1, 0.5, 0, 0, 0, 0], [0] * 6, None),
        ("linear:cutoff=6", [1, 5 / 6, 4 / 6, 0.5, 2 / 6, 1 / 6], [0] * 6, None),
        (
            "bait:cutoff=2,upkeep=0.5,epoch=4,weight=5",
            [1, 0.5, 0, 0, 5, 0],
            [0, 0, 0.5, 0.5, 0, 0.5],
            2,
        ),
        (
            "table:weight=1/0.5/0,upkeep=0/0/0.5",
            [1, 0.5, 0, 0, 0, 0],
            [0, 0, 0.5, 0.5, 0.5, 0.5],
            2,
        ),
        ("table:weight=0/1,upkeep=0,rising=true", [0, 1, 1, 1, 1, 1], [0] * 6, None),
    ],
)
def test_formulas(text, weight, upkeep, cutoff) -> None:
    schedule = Schedule.parse(text)
    got = schedule.arrays(6)
    np.testing.assert_allclose(got[0], weight, atol=1e-15)
    np.testing.assert_allclose(got[1], upkeep, atol=1e-15)
    assert schedule.cutoff_epoch(6) == cutoff
    assert Schedule.parse(str(schedule)) == schedule


@given(st.floats(0, 1), st.floats(0, 10))
def test_text_keeps_every_digit(rate: float, upkeep: float) -> None:
    schedule = Schedule.parse(f"geometric:rate={rate!r},cutoff=3,upkeep={upkeep!r}")
    assert Schedule.parse(str(schedule)) == schedule


@given(st.integers(1, 12), st.floats(0, 10), st.floats(0, 1))
def test_weight_never_rises_and_upkeep_never_falls(cutoff, upkeep, rate) -> None:
    for text in (f"linear:cutoff={cutoff},upkeep={upkeep}", f"step:cutoff={cutoff},upkeep={upkeep}",
                 f"geometric:rate={rate},cutoff={cutoff},upkeep={upkeep}"):  # fmt: skip
        weight, upkeeps = Schedule.parse(text).arrays(12)
        assert (np.diff(weight) <= 0).all()
        assert (np.diff(upkeeps) >= 0).all()
        assert (weight >= 0).all()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("liner:cutoff=4", "unknown schedule 'liner', did you mean 'linear'"),
        ("linear", "cutoff=... is missing"),
        ("linear:cut=4", "did you mean 'cutoff'"),
        ("linear:cutoff=13", "cutoff 13 lies beyond max_epochs=12"),
        ("linear:cutoff=0", "cutoff must be at least 1, got 0"),
        ("linear:cutoff=2.5", "expected int, got '2.5'"),
        ("linear:cutoff=4,upkeep=-1", "upkeep must be at least 0, got -1"),
        ("linear:cutoff=4,upkeep=nan", "upkeep must be at least 0, got nan"),
        ("linear:cutoff=4,cutoff=5", "cutoff is given twice"),
        ("bait:cutoff=4,epoch=12,weight=5", "beyond max_epochs=12, expected at most 11"),
        ("linear:cutoff", "expected key=value, got 'cutoff'"),
        ("geometric:rate=1.5,cutoff=3", "rate must be <= 1 or it rises, got 1.5"),
        ("table:weight=0.5/1", "weight '0.5/1' rises"),
        ("table:weight=1,upkeep=1/0", "upkeep '1/0' falls"),
        ("table:weight=1/-1", "weight must be finite numbers >= 0, got '1/-1'"),
        ("table:weight=1/nan", "weight must be finite"),
        ("table:weight=a", "weight: expected float, got 'a'"),
        (3, "expected text like"),
    ],
)
def test_bad_input_is_one_sentence(text, sentence) -> None:
    with pytest.raises(ValueError) as caught:
        Schedule.parse(text).arrays(12)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
