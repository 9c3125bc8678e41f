"""Whether the report's intervals and tests hold what they say, on scores of awkward shapes.

    python benchmarks/coverage.py --repeats 10000 --seed 0

Four tables. How often the interval of the median over training seeds covers a true median of the
shape, and the interval of a share the true share of seeds at or above a mark; a t interval of the
mean stands beside them for contrast. How often the share of the most frequent class, which is what
a verdict tells, is covered. How often a page of m comparisons without any difference
says one (the conditions share their baseline, Holm-corrected). And how often a condition that is
moved by 1, 2 or 3 standard deviations is told from it, alone and beside 5 that are not moved.
Wanted: coverage of .93 or more, and a false word on .05 of the pages at most, within 3 standard
errors of the simulation; the exit status is 1 where that fails. 10 000 repeats take 2 minutes.
"""

import argparse
import functools
import itertools
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy

from myopia.analysis.report.statistics import holm, permutation_p, share_interval, summarise

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


@dataclass(frozen=True)
class Shape:
    """A distribution of scores, with all that is true of it."""

    draw: Draw
    median: tuple[float, float]
    """The least and the greatest number that is a median."""
    mean: float
    deviation: float
    mark: float
    share: float
    """P(a score is at or above the mark)."""


def _two_point(share: float, median: tuple[float, float]) -> Shape:
    return Shape(
        lambda rng, size: (rng.random(size) < share).astype(float),
        median,
        mean=share,
        deviation=math.sqrt(share * (1 - share)),
        mark=1,
        share=share,
    )


def _piled_up(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    return 1 - np.abs(rng.normal(0, SMALL, size)) * (rng.random(size) < 0.5)


SMALL = 0.1
ABOVE_ONE = 0.15865525393145707  # P(a standard normal score >= 1)
HALF_NORMAL = math.sqrt(2 / math.pi)
SHAPES = {
    "normal": Shape(lambda rng, size: rng.normal(size=size), (0, 0), 0, 1, 1, ABOVE_ONE),
    "lognormal": Shape(
        lambda rng, size: rng.lognormal(size=size),
        (1, 1),
        mean=math.exp(0.5),
        deviation=math.sqrt((math.e - 1) * math.e),
        mark=math.e,
        share=ABOVE_ONE,
    ),
    "0 or 1, half 1": _two_point(0.5, (0, 1)),
    "0 or 1, .9 are 1": _two_point(0.9, (1, 1)),
    "half exactly 1, rest just below": Shape(
        _piled_up,
        (1, 1),
        mean=1 - SMALL * HALF_NORMAL / 2,
        deviation=SMALL * math.sqrt(1 / 2 - HALF_NORMAL**2 / 4),
        mark=1,
        share=0.5,
    ),
}
CLASSES = ((0.9, 0.1), (0.5, 0.5), (0.4, 0.3, 0.3), (1 / 3,) * 3, (0.25,) * 4, (0.2,) * 5)
"""How frequent the classes of agents are, where the most frequent among the seeds is told."""
SEEDS = (5, 6, 10, 20)
COMPARED = (5, 10)
COMPARISONS = (1, 3, 6)
SHIFTS = (1, 2, 3)
LEAST = 0.93
ALPHA = 0.05


def main() -> int:
    """Print the tables, and what fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=10_000, help="of each simulation")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    print(f"{options.repeats} repeats, seed {options.seed}\n")
    failures = [
        *coverage(rng, options.repeats),
        *class_coverage(rng, options.repeats),
        *comparisons(rng, options.repeats),
    ]
    print("\n".join(f"FAILS: {failure}" for failure in failures) or "All hold.")
    return 1 if failures else 0


def coverage(rng: np.random.Generator, repeats: int) -> Iterator[str]:
    """Print how often the intervals cover; yield those that cover too seldom."""
    _print_row("shape", "n", "says", "median", "share", "t interval of the mean")
    _print_row(*["---"] * 6)
    for (name, shape), n in itertools.product(SHAPES.items(), SEEDS):
        scores = shape.draw(rng, (repeats, n))
        says, median = _median_coverage(shape, scores)
        found = {"median": median, "share": _share_coverage(shape, scores)}
        shown = [f"{each:.3f}" for each in (*found.values(), _t_coverage(shape, scores))]
        _print_row(name, n, f"{says:.3f}", *shown)
        for of, covered in found.items():
            if covered < LEAST:
                yield f"{name}, {n} seeds: the {of} is covered in {covered:.3f}"
    print()


def class_coverage(rng: np.random.Generator, repeats: int) -> Iterator[str]:
    """Print how often the share of the class that is told is covered; yield as above."""
    _print_row("classes, as frequent as", *(f"{n} seeds" for n in SEEDS))
    _print_row(*["---"] * (1 + len(SEEDS)))
    for shares in CLASSES:
        name = " ".join(f"{share:.2g}" for share in shares)
        found = [_told_coverage(shares, n, rng, repeats) for n in SEEDS]
        _print_row(name, *(f"{covered:.3f}" for covered in found))
        for n, covered in zip(SEEDS, found, strict=True):
            if covered < LEAST:
                yield f"classes {name}, {n} seeds: the one told is covered in {covered:.3f}"
    print()


def comparisons(rng: np.random.Generator, repeats: int) -> Iterator[str]:
    """Print false words and power; yield where there are too many of the former."""
    errors, powers = [], []
    for (name, shape), n in itertools.product(SHAPES.items(), COMPARED):
        null, moved = _p_values(shape, n, rng, repeats)
        wrong = [_share(any(holm(page)) for page in null[:, :m].tolist()) for m in COMPARISONS]
        errors.append((name, n, *(f"{share:.4f}" for share in wrong)))
        allowed = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / repeats)
        for m, share in zip(COMPARISONS, wrong, strict=True):
            if share > allowed:
                yield f"{name}, {n} seeds, {m} comparisons: a false word on {share:.4f}"
        alone = [_share(holm([p])[0] for p in column) for column in moved.T.tolist()]
        beside = [
            _share(holm(page)[0] for page in np.column_stack([column, null[:, 1:]]).tolist())
            for column in moved.T
        ]
        powers.append((name, n, *(f"{power:.3f}" for power in (*alone, *beside))))
    _print_row("shape", "n", *(f"false word on a page of {m}" for m in COMPARISONS))
    _print_row(*["---"] * (2 + len(COMPARISONS)))
    for row in errors:
        _print_row(*row)
    print()
    settings = itertools.product(("alone", f"one of {COMPARISONS[-1]}"), SHIFTS)
    _print_row("shape", "n", *(f"{shift} sd, {where}" for where, shift in settings))
    _print_row(*["---"] * (2 + 2 * len(SHIFTS)))
    for row in powers:
        _print_row(*row)
    print()


def _median_coverage(shape: Shape, scores: np.ndarray) -> tuple[float, float]:
    least, greatest = shape.median
    intervals = [summarise(row).interval for row in scores.tolist()]
    covered = _share(low <= greatest and least <= high for low, high, _ in filter(None, intervals))
    return next(says for _, _, says in filter(None, intervals)), covered


def _share_coverage(shape: Shape, scores: np.ndarray) -> float:
    n = scores.shape[1]
    intervals = [share_interval(count, n) for count in range(n + 1)]
    inside = np.array([low <= shape.share <= high for low, high, _ in intervals])
    return float(inside[(scores >= shape.mark).sum(axis=1)].mean())


def _told_coverage(
    shares: tuple[float, ...], n: int, rng: np.random.Generator, repeats: int
) -> float:
    counts = rng.multinomial(n, shares, size=repeats)
    told, seen = counts.argmax(axis=1), (counts > 0).sum(axis=1)
    covered = []
    for row, kind, kinds in zip(counts.tolist(), told.tolist(), seen.tolist(), strict=True):
        low, high, _ = share_interval(row[kind], n, kinds)
        covered.append(low <= shares[kind] <= high)
    return _share(covered)


def _t_coverage(shape: Shape, scores: np.ndarray) -> float:
    n = scores.shape[1]
    reach = scipy.stats.t.ppf(0.975, n - 1) * scores.std(axis=1, ddof=1) / math.sqrt(n)
    return float((np.abs(scores.mean(axis=1) - shape.mean) <= reach).mean())


def _p_values(
    shape: Shape, n: int, rng: np.random.Generator, repeats: int
) -> tuple[np.ndarray, np.ndarray]:
    """Of each page: one for each condition like the baseline; of the first, moved by each shift."""
    baseline = shape.draw(rng, (repeats, n))
    others = [shape.draw(rng, (repeats, n)) for _ in range(COMPARISONS[-1])]
    moved = [others[0] + shift * shape.deviation for shift in SHIFTS]
    null = np.column_stack([_all_p(baseline, other) for other in others])
    return null, np.column_stack([_all_p(baseline, other) for other in moved])


def _all_p(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """`permutation_p` of each row, all at once, and the first rows against it.

    The difference is that of sums, since groups are of one size.
    """
    total = 2 * one.shape[1]
    signs = _signs(total)
    pooled = np.concatenate([one, other], axis=1)
    pooled /= np.maximum(np.abs(pooled).max(axis=1, keepdims=True), 1e-300)
    found = np.abs(pooled[:, : total // 2].sum(axis=1) - pooled[:, total // 2 :].sum(axis=1))
    hits = np.zeros(len(pooled), dtype=int)
    for some in np.array_split(signs, math.ceil(len(signs) / 1000)):
        for rows in np.array_split(np.arange(len(pooled)), math.ceil(len(pooled) / 100)):
            differences = pooled[rows] @ some.T
            np.abs(differences, out=differences)
            hits[rows] += np.count_nonzero(differences >= found[rows, None] - 1e-9, axis=1)
    p_values = hits / len(signs)
    for k in range(min(10, len(p_values))):
        if not math.isclose(p_values[k], permutation_p(one[k].tolist(), other[k].tolist())):
            raise AssertionError(f"two ways to the p value differ: {one[k]}, {other[k]}")
    return p_values


@functools.cache
def _signs(total: int) -> np.ndarray:
    """Each row a split of `total` seeds into halves: 1 in the first, -1 in the other.

    Of a split and its mirror image, whose difference is the same, one is enough: the first seed is
    always in the first half.
    """
    signs = -np.ones((math.comb(total - 1, total // 2 - 1), total))
    chosen = np.array(list(itertools.combinations(range(1, total), total // 2 - 1)))
    np.put_along_axis(signs, chosen, 1, axis=1)
    signs[:, 0] = 1
    return signs


def _share(happened) -> float:
    return float(np.mean([bool(each) for each in happened]))


def _print_row(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
