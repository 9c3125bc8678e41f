"""Statistics over seeds: by hand, against slow versions, and at the edges."""

import itertools
import math
import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myopia.analysis.report import statistics
from myopia.analysis.report.statistics import (
    Interval,
    holm,
    holm_adjusted,
    permutation_p,
    seeds_needed,
    share_interval,
    summarise,
)

scores = st.floats(-1e6, 1e6)
eighths = st.integers(-40, 40).map(lambda i: i / 8)  # sums of them are exact
groups = st.lists(eighths, min_size=1, max_size=5)
p_values = st.lists(st.floats(0, 1), max_size=8)
counts = st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def at_least(count, total, share):
    """P(Bin(total, share) >= count), term by term."""
    return sum(
        math.comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(count, total + 1)
    )


def slow_permutation_p(one, other):
    pooled = [Fraction(score) for score in [*one, *other]]
    places = range(len(pooled))

    def difference(chosen):
        inside = sum(pooled[i] for i in chosen) / len(one)
        return abs(inside - sum(pooled[i] for i in places if i not in chosen) / len(other))

    found = difference(range(len(one)))
    splits = [difference(chosen) for chosen in itertools.combinations(places, len(one))]
    return sum(each >= found for each in splits) / len(splits)


def slow_holm(p_values, alpha):
    """From the least on, until the first that fails."""
    holds = [False] * len(p_values)
    for step, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        if p_values[i] * (len(p_values) - step) > alpha:
            break
        holds[i] = True
    return holds


# Shares


def test_all_or_none_of_five() -> None:
    assert share_interval(5, 5) == pytest.approx((0.025 ** (1 / 5), 1, 0.95))
    assert share_interval(0, 5) == pytest.approx((0, 1 - 0.025 ** (1 / 5), 0.95))
    assert share_interval(5, 5).low == pytest.approx(0.478, abs=5e-4)


def test_a_share_by_the_book() -> None:
    """Clopper and Pearson's chart: 7 of 10, as in R's binom.test(7, 10)."""
    low, high, _ = share_interval(7, 10)
    assert (low, high) == pytest.approx((0.3475471, 0.9332605), abs=1e-7)


@given(counts)
def test_at_each_end_of_a_share_a_tail_is_the_half_of_five_percent(counted) -> None:
    count, total = counted
    low, high, _ = share_interval(count, total)
    assert 0 <= low <= count / total <= high <= 1
    assert low == 0 if count == 0 else at_least(count, total, low) == pytest.approx(0.025)
    if count == total:
        assert high == 1
    else:
        assert 1 - at_least(count + 1, total, high) == pytest.approx(0.025)


@given(counts)
def test_a_share_and_the_others_mirror(counted) -> None:
    count, total = counted
    low, high, _ = share_interval(total - count, total)
    assert share_interval(count, total)[:2] == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize("total", [1, 2, 5, 10, 20])
def test_whatever_the_true_share_it_is_covered(total) -> None:
    intervals = [share_interval(count, total) for count in range(total + 1)]
    for share in np.linspace(0, 1, 401):
        chances = [
            math.comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(total + 1)
        ]
        inside = [low <= share <= high for low, high, _ in intervals]
        assert sum(itertools.compress(chances, inside)) >= 0.95 - 1e-12


@pytest.mark.parametrize("classes", [2, 3, 4, 5])
@pytest.mark.parametrize("total", [5, 6, 10, 20])
def test_the_class_that_is_told_is_covered_however_many_are_equally_frequent(total, classes):
    """Told is the most frequent, and 5 equally frequent ones are the worst there is to tell."""
    covered = 0.0
    for counts in itertools.combinations_with_replacement(range(total, -1, -1), classes):
        if sum(counts) == total:  # in falling order: the first is told
            ways = math.factorial(total) / math.prod(map(math.factorial, counts))
            orders = math.factorial(classes) / math.prod(
                math.factorial(counts.count(one)) for one in set(counts)
            )
            low, high, _ = share_interval(counts[0], total, sum(one > 0 for one in counts))
            covered += ways * orders / classes**total * (low <= 1 / classes <= high)
    assert covered >= 0.93


def test_two_classes_leave_the_interval_as_it_is_and_more_widen_it() -> None:
    assert share_interval(9, 10, 1) == share_interval(9, 10, 2) == share_interval(9, 10)
    assert share_interval(8, 10, 3).low < share_interval(8, 10).low


@pytest.mark.parametrize(("count", "total"), [(0, 0), (1, 0), (-1, 5), (6, 5), (0, -1)])
def test_no_share_of_these(count, total) -> None:
    with pytest.raises(ValueError, match="expected a count from 0"):
        share_interval(count, total)


# Medians


def test_a_summary_by_hand() -> None:
    assert summarise([3, 1, 2]) == ((3, 1, 2), 2, 1, 3, 2, None)
    five = summarise([5, 1, 2, 9, 3])
    assert five == ((5, 1, 2, 9, 3), 4, 1, 9, 3, Interval(1, 9, 0.9375))
    assert summarise([0.5]) == ((0.5,), 0.5, 0.5, 0.5, 0.5, None)
    assert summarise([1, 2, 3, 10]).median == 2.5
    assert summarise([1, 2, 3, 10]).interval is None


@pytest.mark.parametrize(
    ("n", "rank", "coverage"),
    [(5, 1, 0.9375), (6, 1, 0.96875), (10, 2, 0.978515625), (20, 6, 0.9586105)],
)
def test_which_seeds_bound_the_median(n, rank, coverage) -> None:
    shuffled = np.random.default_rng(0).permutation(np.arange(1, n + 1)).tolist()
    interval = summarise(shuffled).interval
    assert interval == pytest.approx((rank, n + 1 - rank, coverage), abs=1e-7)


@pytest.mark.parametrize("n", range(5, 15))
def test_coverage_over_every_way_to_lie_about_the_median(n) -> None:
    """Each seed is below the median or above it; the r-th must be below, the r-th last above."""
    interval = summarise(range(1, n + 1)).interval
    assert interval is not None

    def covered(rank):
        below = [sum(signs) for signs in itertools.product((0, 1), repeat=n)]
        return sum(rank <= each <= n - rank for each in below) / 2**n

    rank = int(interval.low)
    assert interval.coverage == pytest.approx(covered(rank), abs=1e-12)
    assert covered(rank) >= (0.9375 if n == 5 else 0.95)
    assert covered(rank + 1) < 0.95, "a narrower one covers, too"


def test_many_seeds() -> None:
    interval = summarise(range(5000)).interval
    assert interval is not None
    assert 0.95 <= interval.coverage < 0.96
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * math.sqrt(5000 / 4), rel=0.02)


@given(st.lists(scores, min_size=1, max_size=30))
def test_a_summary_holds_together(values) -> None:
    summary = summarise(values)
    ordered = sorted(values)
    assert summary.values == tuple(values)
    assert (summary.low, summary.high) == (ordered[0], ordered[-1])
    assert summary.mean == pytest.approx(math.fsum(values) / len(values), abs=1e-6)
    assert summary.low <= summary.median <= summary.high
    assert (summary.interval is None) == (len(values) < 5)
    if summary.interval is not None:
        low, high, coverage = summary.interval
        assert low <= summary.median <= high
        assert low in values
        assert high in values
        assert coverage >= 0.95 or (len(values) == 5 and coverage == 0.9375)


@given(st.lists(eighths, min_size=5, max_size=20), eighths)
def test_a_shift_shifts_the_interval(values, shift) -> None:
    before, after = summarise(values).interval, summarise([v + shift for v in values]).interval
    assert before is not None
    assert after == (before.low + shift, before.high + shift, before.coverage)


@pytest.mark.parametrize("values", [[], [np.nan], [1.0, np.inf], [[1.0]]])
def test_nothing_to_summarise_is_refused(values) -> None:
    with pytest.raises(ValueError, match="scores: expected at least one finite number"):
        summarise(values)


# Two conditions


def test_p_by_hand() -> None:
    assert permutation_p([1, 2], [3, 4]) == pytest.approx(2 / 6)
    assert permutation_p([1], [2]) == 1
    assert permutation_p([1, 1, 1], [1, 1]) == 1
    assert permutation_p([0, 0], [0]) == 1
    assert permutation_p([1], [2, 3, 4]) == pytest.approx(1 / 2)  # 1 and 4 differ as much
    assert permutation_p([0] * 5, [1] * 5) == pytest.approx(2 / 252)


@pytest.mark.parametrize("n", [1, 2, 4, 5, 10])
def test_groups_apart_have_the_least_p(n) -> None:
    assert permutation_p(range(n), range(100, 100 + n)) == 2 / math.comb(2 * n, n)


def test_ties_are_ties_in_floating_point() -> None:
    """.1 + .2 is not .3, but these seeds are the same, and so are the sums of such splits."""
    assert permutation_p([0.1 + 0.2, 0.3], [0.3, 0.1 + 0.2]) == 1
    assert permutation_p([0.1 + 0.2] * 5, [0.3] * 5) == 1
    tenths = [[0.1, 0.2, 0.7], [0.3, 0.4, 0.6]]
    assert permutation_p(*tenths) == slow_permutation_p([1, 2, 7], [3, 4, 6])
    large = [[1e300 * v for v in group] for group in tenths]
    assert permutation_p(*large) == slow_permutation_p([1, 2, 7], [3, 4, 6])


@given(groups, groups)
@settings(deadline=None)
def test_p_against_every_split_in_fractions(one, other) -> None:
    assert permutation_p(one, other) == pytest.approx(slow_permutation_p(one, other), abs=1e-12)


@given(groups, groups, eighths, st.sampled_from([-3.0, -0.1, 0.3, 1e-6, 1e6]))
@settings(deadline=None)
def test_p_does_not_depend_on_order_place_or_unit(one, other, shift, unit) -> None:
    p = permutation_p(one, other)
    assert permutation_p(other, one) == p
    assert permutation_p(sorted(one), sorted(other, reverse=True)) == p
    assert permutation_p([v + shift for v in one], [v + shift for v in other]) == p
    assert permutation_p([v * unit for v in one], [v * unit for v in other]) == p


@pytest.mark.parametrize("scores", [range(8), [0, 0, 0, 0, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1, 9]])
def test_under_the_null_p_is_seldom_small(scores) -> None:
    """Over all splits of the same eight seeds, p <= α happens in a share of α at most."""
    found = []
    for chosen in itertools.combinations(range(8), 3):
        one = [scores[i] for i in chosen]
        found.append(permutation_p(one, [scores[i] for i in range(8) if i not in chosen]))
    for alpha in found:
        assert np.mean(np.array(found) <= alpha) <= alpha + 1e-12


def test_ten_against_ten_are_all_looked_at_and_fast() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=10).tolist(), rng.normal(0.8, size=10).tolist()
    began = time.perf_counter()
    p = permutation_p(one, other)
    assert time.perf_counter() - began < 1
    hits = p * math.comb(20, 10)
    assert hits == pytest.approx(round(hits), abs=1e-6)
    assert round(hits) % 2 == 0, "each split has its mirror image"


def test_more_splits_are_drawn(monkeypatch) -> None:
    """The draws agree with the count, give the same twice, and never give 0."""
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=9).tolist(), rng.normal(0.5, size=8).tolist()
    exact = permutation_p(one, other)
    assert 0.05 < exact < 0.95
    monkeypatch.setattr(statistics, "MOST_SPLITS", 1000)
    drawn = permutation_p(one, other)
    error = math.sqrt(exact * (1 - exact) / 100_000)
    assert drawn == pytest.approx(exact, abs=4 * error)
    assert drawn != exact
    assert permutation_p(other[::-1], one) == drawn


def test_p_of_many_seeds() -> None:
    assert permutation_p(range(40), range(1000, 1030)) == pytest.approx(1 / 100_001)
    assert permutation_p([1.0] * 40, [1.0] * 30) == 1


@pytest.mark.parametrize("bad", [[], [np.nan], [1.0, np.inf], [[1.0]]])
def test_no_p_without_two_groups(bad) -> None:
    with pytest.raises(ValueError, match="one: expected at least one finite number"):
        permutation_p(bad, [1.0])
    with pytest.raises(ValueError, match="other: expected at least one finite number"):
        permutation_p([1.0], bad)


# Several comparisons


def test_holm_by_hand() -> None:
    """.005 <= .05/4, .01 <= .05/3, but .03 > .05/2, and so .04 fails with it."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == [True, False, False, True]
    assert holm_adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.01, 0.04, 0.03, 0.005], alpha=0.06) == [True] * 4
    assert holm_adjusted([0.5, 0.9]) == [1, 1]
    assert holm([0.05]) == [True]
    assert holm([0.051]) == [False]
    assert holm([]) == holm_adjusted([]) == []


@given(p_values, st.floats(0.001, 0.5))
def test_holm_against_its_steps(values, alpha) -> None:
    assert holm(values, alpha) == slow_holm(values, alpha)


@given(p_values)
def test_adjusted_values_keep_the_order_between_p_and_bonferroni(values) -> None:
    adjusted = holm_adjusted(values)
    assert all(p <= a <= min(1, p * len(values)) for p, a in zip(values, adjusted, strict=True))
    for (p, a), (q, b) in itertools.combinations(zip(values, adjusted, strict=True), 2):
        assert (p - q) * (a - b) >= 0


@given(p_values, st.randoms())
def test_holm_does_not_depend_on_the_order(values, random) -> None:
    order = list(range(len(values)))
    random.shuffle(order)
    adjusted = holm_adjusted(values)
    assert holm_adjusted([values[i] for i in order]) == [adjusted[i] for i in order]


@pytest.mark.parametrize("bad", [[-0.1], [0.2, 1.1], [np.nan]])
def test_p_values_are_checked(bad) -> None:
    with pytest.raises(ValueError, match="p_values: expected numbers from 0 to 1"):
        holm(bad)


def test_seeds_needed() -> None:
    assert [seeds_needed(m) for m in range(1, 8)] == [4, 5, 5, 5, 5, 5, 6]
    assert seeds_needed(1, alpha=0.01) == 5
    assert seeds_needed(1, alpha=0.5) == 2


@pytest.mark.parametrize("comparisons", range(1, 9))
def test_with_the_seeds_needed_all_come_out_and_with_one_less_none_does(comparisons) -> None:
    n = seeds_needed(comparisons)
    least, too_large = (permutation_p(range(seeds), range(50, 50 + seeds)) for seeds in (n, n - 1))
    assert holm([least] * comparisons) == [True] * comparisons
    assert holm([too_large] * comparisons) == [False] * comparisons


@pytest.mark.parametrize(("comparisons", "alpha"), [(0, 0.05), (-1, 0.05), (1, 0), (1, 1)])
def test_seeds_for_nothing(comparisons, alpha) -> None:
    with pytest.raises(ValueError, match="expected a comparison"):
        seeds_needed(comparisons, alpha)
