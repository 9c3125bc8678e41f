"""The cadence's promise: the alarm rings before the danger, for every growing capability."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from myopia.agents.monitoring.alarm import Alarm
from myopia.agents.monitoring.learning_curve import LearningCurve
from myopia.agents.monitoring.schedule import ComputeSpent, EvaluationSchedule

START = 1e6
"""Effective compute at the first point of every curve."""

steps = st.lists(st.floats(0.01, 1.0), min_size=3, max_size=12)
"""Growth of ln(compute), or of capability, from point to point: strictly positive."""


@st.composite
def expectations(draw) -> tuple[LearningCurve, float]:
    """A strictly increasing capability curve, and a danger level that it reaches late enough."""
    logs, rises = draw(steps), draw(steps)
    count = min(len(logs), len(rises))
    compute = START * np.exp(np.cumsum([0.0, math.log(8), *logs[:count]]))
    curve = LearningCurve(compute, np.cumsum([0.0, draw(st.floats(0.01, 1.0)), *rises[:count]]))
    return curve, curve.at(compute[1] * (compute[-1] / compute[1]) ** draw(st.floats(0.05, 1.0)))


def evaluated(evaluation_schedule: EvaluationSchedule, spent: list[float]) -> list[float]:
    """At which of these occasions of a training it evaluates."""
    last, found = None, []
    for now, following in zip(spent, [*spent[1:], math.inf], strict=True):
        now_spent = ComputeSpent(now, now)
        if evaluation_schedule.due(last, now_spent, following, seconds=0.0):
            found.append(now)
            last = now_spent
    return found


def rings(alarm: Alarm, curve: LearningCurve, occasions: list[float], before: float) -> bool:
    return any(alarm.rings(curve.at(compute)) for compute in occasions if compute < before)


@given(expectations(), st.lists(st.floats(1.01, 4.0), min_size=60, max_size=60))
def test_gaps_of_four_ring_before_the_danger(expected, growths) -> None:
    curve, danger = expected
    occasions = evaluated(EvaluationSchedule(), list(START * np.cumprod([1.0, *growths])))
    gaps = np.array(occasions[1:]) / occasions[:-1]
    assert gaps.max() <= 4 * (1 + 1e-12)
    reached = curve.compute_at(danger)
    assert reached is not None
    assert rings(Alarm.before(danger, curve), curve, occasions, reached)


@given(expectations(), st.floats(6.01, 100.0), st.floats(0.001, 0.999))
def test_a_gap_above_the_buffer_steps_over_it(expected, gap, place) -> None:
    """Evaluations just below c* / 6 and just beyond c*: the danger is met without a warning."""
    curve, danger = expected
    reached = curve.compute_at(danger)
    assert reached is not None
    last = reached / 6 * (6 / gap) ** place  # so last * gap is beyond c*, and last below c* / 6
    assume(curve.at(last) < curve.at(reached / 6))
    occasions = [last / gap, last, last * gap]
    assert not rings(Alarm.before(danger, curve), curve, occasions, reached)


@given(expectations(), st.lists(st.floats(1.01, 4.0), min_size=60, max_size=60))
def test_a_hidden_capability_that_is_not_elicited_never_rings(expected, growths) -> None:
    curve, danger = expected
    alarm = Alarm.before(danger, curve)
    assume(alarm.level > curve.at(START))
    occasions = evaluated(EvaluationSchedule(), list(START * np.cumprod([1.0, *growths])))
    assert not any(alarm.rings(curve.at(START)) for _ in occasions)


@given(expectations())
def test_a_larger_buffer_rings_earlier(expected) -> None:
    curve, danger = expected
    assert Alarm.before(danger, curve, 6).level < Alarm.before(danger, curve, 3).level < danger


def test_by_hand() -> None:
    """Capability = log10 of compute; 3 is reached at 1000, and expected at 1000 / 10 is 2."""
    curve = LearningCurve([1, 10, 100, 1000, 10_000], [0, 1, 2, 3, 4])
    alarm = Alarm.before(3, curve, buffer=10)
    assert alarm.level == pytest.approx(2)
    assert alarm.rings(2.1)
    assert not alarm.rings(1.9)


def test_what_cannot_be_expected_is_refused() -> None:
    curve = LearningCurve([100, 1000], [0, 1])
    with pytest.raises(ValueError, match="never reaches it, it ends at 1"):
        Alarm.before(2, curve)
    with pytest.raises(ValueError, match="less than 6 times where the expected curve begins"):
        Alarm.before(0.5, curve)
    with pytest.raises(ValueError, match="buffer must be above 1, got 1"):
        Alarm.before(1, curve, buffer=1)


def test_the_rhythm() -> None:
    evaluation_schedule = EvaluationSchedule(growth=4, seconds=60)
    at_100 = ComputeSpent(100, 100)
    assert evaluation_schedule.due(None, ComputeSpent(0, 0), 10, 0)
    assert evaluation_schedule.due(ComputeSpent(0, 0), ComputeSpent(10, 10), 20, 0)
    assert not evaluation_schedule.due(at_100, ComputeSpent(390, 390), 400, 59)
    assert evaluation_schedule.due(
        at_100, ComputeSpent(390, 390), 401, 0
    )  # the next occasion is too late
    assert evaluation_schedule.due(at_100, ComputeSpent(110, 110), 120, 60)  # a minute has passed
    assert evaluation_schedule.due(
        at_100, ComputeSpent(110, 400), 120, 0
    )  # four times as far as it was
    with pytest.raises(ValueError, match="growth between evaluations must be above 1, got 1"):
        EvaluationSchedule(growth=1)
    with pytest.raises(ValueError, match="seconds between evaluations must be above 0, got 0"):
        EvaluationSchedule(seconds=0)
