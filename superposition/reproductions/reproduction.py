"""Published or measured results, and how we obtain ours: families of measurements by name."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


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


Measurement = Callable[[], Iterable[ReproductionRow]]


@dataclass
class ReproductionSource:
    """The targets of one source."""

    name: str
    source: str
    exact: list[Measurement] = field(default_factory=list)
    """Quick ones: algebra, quadrature, dynamic programming."""
    trained: list[Measurement] = field(default_factory=list)
    """Those that train something, in minutes."""

    def rows(self, exact_only: bool = False) -> Iterable[ReproductionRow]:
        """Measure and yield, one measurement after the other."""
        for measurement in [*self.exact, *([] if exact_only else self.trained)]:
            yield from measurement()


FAMILIES: dict[str, ReproductionSource] = {}


def family(name: str, source: str) -> ReproductionSource:
    """Register a family; its measurements join by being appended to `exact` or `trained`."""
    return FAMILIES.setdefault(name, ReproductionSource(name, source))


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
