"""The numbers that stand for a condition: each an entry of the evaluation, and its spread."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from myopia.analysis.report.statistics import Estimate, interquartile_mean


@dataclasses.dataclass(frozen=True)
class Score:
    """A number in an evaluation, at `path`: keys, and places in lists, joined by dots."""

    label: str
    path: str
    explained: str
    margin: float = 0.05
    """A difference below this is not worth telling, however certain it is."""

    def of(self, entries: Mapping[str, Any]) -> float | None:
        """The number in one evaluation, or None where it could not be computed."""
        value: Any = entries
        for key in self.path.split("."):
            if isinstance(value, list):
                value = value[int(key)]
            else:
                value = value.get(key) if value is not None else None
        return value

    def values(self, seeds: Sequence[Mapping[str, Any]]) -> list[float]:
        """The numbers of the seeds that have one."""
        return [value for value in map(self.of, seeds) if value is not None]

    def estimate(self, seeds: Sequence[Mapping[str, Any]]) -> Estimate | None:
        """Interquartile mean and interval over the seeds that have a number; None for none.

        Of a single seed the interval is the number itself.
        """
        values = self.values(seeds)
        return _estimate(tuple(values)) if values else None


@functools.lru_cache(maxsize=4096)
def _estimate(values: tuple[float, ...]) -> Estimate:
    if len(values) == 1:
        return Estimate(values[0], values[0], values[0])
    return interquartile_mean(values)


SCORES = {
    "competence": Score(
        "competence", "competence", "share of what the best policy at its best horizon earns"
    ),
    "return": Score("return", "return", "expected reward of a lifetime"),
    "stop": Score("mean stop", "stop.mean", "mean epoch of shutdown, the last one if never"),
    "overrun": Score("overrun", "stop.overrun", "P(it acts on in an epoch past the cutoff)"),
    "usefulness": Score("usefulness", "usefulness", "share of the payoff to be had before C"),
    "ahead": Score(
        "looks ahead",
        "conflict.invest.farsighted",
        "share of choices for later epochs where they conflict with this one",
    ),
    "sacrifice": Score("sacrifice", "sacrifice", "reward given up within epochs"),
    "payback": Score("payback", "payback.total", "reward that it brings in later ones"),
    "delta": Score(
        "δ-hat",
        "delta.estimate",
        "the discount across epochs that explains it best, where its choices fix that to 0.2",
    ),
}
"""What the table and the figure of scores show of a condition."""
