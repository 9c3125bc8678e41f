"""The figures of the report: one file each in `figures/`, registered by a decorator.

A figure is a function from a table (condition -> the entries of `evaluation.json`, one for each
seed), so that it is as easily had in a notebook: `survival({"mine": [evaluation.json()]})`.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from myopia.analysis.report.results import Results, RowsByCondition, collect
from myopia.common.errors import check_choice
from myopia.common.registry import Registry
from myopia.common.search_path import safe_imports
from myopia.superposition.figures import literal, own_style

Draw = Callable[[RowsByCondition], Figure]


class NothingToDraw(ValueError):  # noqa: N818 - a finding, not a fault
    """Raised by a figure for a table without the numbers that it draws; says which."""


class RegisteredFigure(NamedTuple):
    """A figure, what it shows, and its place on the page."""

    place: int
    caption: str
    draw: Draw


def _drawn(draw: Draw) -> Draw:
    """In matplotlib's own style; names of conditions letter by letter, whatever they are."""

    @own_style
    @functools.wraps(draw)
    def drawn(table: RowsByCondition) -> Figure:
        return draw({literal(name): seeds for name, seeds in table.items()})

    return drawn


FIGURES: Registry[RegisteredFigure] = Registry(
    "figure",
    "myopia.analysis.report.figures",
    entry=lambda name, draw, place, caption: RegisteredFigure(place, caption, draw),
    wrap=_drawn,
    order=lambda one: one.place,
)
"""Name -> figure, in the order of the page."""
figure = FIGURES.register


@safe_imports()
def draw_figures(results: Results | str | Path, *names: str) -> dict[str, Figure]:
    """The report's figures of some results, or of those in a folder, by name.

    All that have something to draw, or those of these `names`. Raises ValueError for an unknown
    name, and where one that was asked for has nothing to draw.
    """
    for name in names:
        check_choice("figure", name, FIGURES)
    table = (results if isinstance(results, Results) else collect(results)).table
    drawn = {}
    for name in names or FIGURES:
        try:
            drawn[name] = FIGURES[name].draw(table)
        except NothingToDraw:
            if names:
                raise
    return drawn
