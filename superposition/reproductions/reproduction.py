"""Published or measured results, and how we obtain ours, by name."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from myopia.common.registry import Registry


@dataclass(frozen=True)
class ReproductionRow:
    """One target beside our value."""

    target: str
    theirs: str
    ours: str
    tolerance: str
    mark: str
    """`exact`, `measured`, `published`, or `reported` where there is nothing to hold."""
    passed: bool | None
    """None where the row only reports."""


class Reproduction(NamedTuple):
    """The targets of one source beside ours."""

    name: str
    source: str
    rows: Callable[[bool], Iterable[ReproductionRow]]
    """Measures and yields; given True, only what trains nothing."""


REPRODUCTIONS: Registry[Reproduction] = Registry(
    "reproduction",
    "myopia.superposition.reproductions",
    spell=lambda name: name.replace("_", "-"),
    entry=lambda name, rows, source: Reproduction(name, source, rows),
)
"""Name -> targets: algebra, quadrature and dynamic programming first, then what trains."""
reproduction = REPRODUCTIONS.register


def within(
    target: str, theirs: float, ours: float, tolerance: float, mark: str, digits: int = 3
) -> ReproductionRow:
    """A row that passes when ours is no farther from theirs than the tolerance."""
    return ReproductionRow(
        target,
        f"{theirs:.{digits}f}",
        f"{ours:.{digits + 1}f}",
        f"{tolerance:g}",
        mark,
        abs(ours - theirs) <= tolerance,
    )
