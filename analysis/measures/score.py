"""Numbers of an evaluation that stand for a condition, and rows that are told of one agent."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from myopia.common.show import show

Entries = Mapping[str, Any]
"""What was measured of one agent: the entries of an `evaluation.json`."""


def entry(entries: Any, path: str) -> Any:
    """What stands in an evaluation at `path`: keys, and places in lists, joined by dots.

    None where something on the way is null.
    """
    for key in path.split("."):
        if isinstance(entries, list):
            entries = entries[int(key)]
        else:
            entries = entries.get(key) if entries is not None else None
    return entries


@dataclasses.dataclass(frozen=True)
class Score:
    """A number in an evaluation, at `path`, for the table and the figure of conditions."""

    label: str
    path: str
    explained: str
    place: int = 0
    """Where it stands among the others."""
    part: Literal["earned", "ahead"] = "earned"
    """In which table: what an agent learned and earned, or how far it looks ahead."""

    def of(self, entries: Entries) -> float | None:
        """The number in one evaluation, or None where it could not be computed."""
        return entry(entries, self.path)

    def values(self, seeds: Sequence[Entries]) -> list[float]:
        """The numbers of the seeds that have one."""
        return [value for value in map(self.of, seeds) if value is not None]


def told(value: Any, interval: Any) -> str:
    """A number with its interval, where it has one; of a dict the numbers in it."""
    if isinstance(value, Mapping):
        numbers = {name: share for name, share in value.items() if isinstance(share, float)}
        return ", ".join(f"{name} {share:.3f}" for name, share in numbers.items()) or "-"
    ends = f" in [{show(interval[0])}, {show(interval[1])}]" if interval else ""
    return show(value) + ends


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of what is told of one agent: the entry at `path`, in words.

    `tell` makes them of the entry and of its interval (None where it was not sampled).
    """

    label: str
    path: str
    place: int
    tell: Callable[[Any, Any], str] = told
