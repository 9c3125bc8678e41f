"""The measures by name; a file in `analysis/measures/` registers each of its own."""

import dataclasses
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.measures.score import Entries, Row, Score, entry
from myopia.common.registry import Registry

Measured = Callable[[EvaluationContext], dict[str, Any]]
"""From a context to entries of the evaluation: numbers, lists, dicts, None."""


@dataclasses.dataclass(frozen=True)
class Measure:
    """A measure, and what it declares of itself."""

    name: str
    function: Measured
    entries: tuple[str, ...]
    """The keys of the evaluation that it fills."""
    probabilities: tuple[str, ...]
    """Paths to probabilities, or to what holds nothing else: their intervals end at 0 and 1."""
    rows: tuple[Row, ...]
    scores: Mapping[str, Score]

    def __call__(self, context: EvaluationContext) -> dict[str, Any]:
        """The entries of one agent. Raises ValueError where they are not those it declares."""
        found = self.function(context)
        if found.keys() != set(self.entries):
            raise ValueError(
                f"measure {self.name!r} declares the entries {', '.join(self.entries)}, but gives "
                f"{', '.join(found)}"
            )
        return found


TAKEN = (
    *("world", "dials", "policy", "method", "reasons", "measures", "class"),
    *("intervals", "lifetimes", "probes", "learning"),
)
"""Entries that an evaluation has beside those of its measures."""


def _entry(
    name: str,
    function: Measured,
    entries: tuple[str, ...] = (),
    probabilities: tuple[str, ...] = (),
    rows: tuple[Row, ...] = (),
    scores: Mapping[str, Score] | None = None,
) -> Measure:
    for key in entries or (name,):
        if key in TAKEN:
            raise ValueError(f"measure {name!r}: every evaluation has an entry {key!r} of its own")
    return Measure(name, function, entries or (name,), probabilities, rows, scores or {})


MEASURES: Registry[Measure] = Registry("measure", "myopia.analysis.measures", entry=_entry)
"""Name -> measure; its entries join every evaluation."""
measure = MEASURES.register


def measured(context: EvaluationContext) -> dict[str, Any]:
    """The entries of all measures. Raises ValueError where two give the same."""
    entries: dict[str, Any] = {}
    for one in MEASURES.values():
        found = one(context)
        for key in entries.keys() & found.keys():
            raise ValueError(
                f"measure {one.name!r}: the entry {key!r} is another measure's already"
            )
        entries |= found
    return entries


def all_entries() -> list[str]:
    """Every key of an evaluation that some measure fills."""
    return [key for one in MEASURES.values() for key in one.entries]


def all_probabilities() -> frozenset[str]:
    """The paths of all entries that are probabilities."""
    return frozenset(path for one in MEASURES.values() for path in one.probabilities)


def in_words(entries: Entries, intervals: Entries | None) -> dict[str, str]:
    """What is told of one agent, label -> words, in the order of the rows' places."""
    rows = sorted((row for one in MEASURES.values() for row in one.rows), key=lambda r: r.place)
    for one, following in itertools.pairwise(sorted(row.label for row in rows)):
        if one == following:
            raise ValueError(f"two measures tell a row {one!r}, expected labels that differ")
    return {
        row.label: row.tell(entry(entries, row.path), entry(intervals, row.path)) for row in rows
    }
