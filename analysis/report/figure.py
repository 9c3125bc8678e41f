"""The figures of the report: one file each in `figures/`, registered by a decorator.

A figure is a function from a table (condition -> the entries of `evaluation.json`, one for each
seed), so that it is as easily had in a notebook: `survival({"mine": [evaluation.json()]})`.
"""

import functools
import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from myopia.analysis.report.results import Results, RowsByCondition, collect
from myopia.common.errors import check_choice
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


FIGURES: dict[str, RegisteredFigure] = {}
"""Name -> figure."""


def figure(place: int, caption: str) -> Callable[[Draw], Draw]:
    """Decorator: the report draws this function of a table there, with this caption.

    Names of conditions are drawn letter by letter, whatever they are.
    """

    def keep(draw: Draw) -> Draw:
        @own_style
        @functools.wraps(draw)
        def drawn(table: RowsByCondition) -> Figure:
            return draw({literal(name): seeds for name, seeds in table.items()})

        FIGURES[draw.__name__] = RegisteredFigure(place, caption, drawn)
        return drawn

    return keep


@safe_imports()
def draw_figures(results: Results | str | Path, *names: str) -> dict[str, Figure]:
    """The report's figures of some results, or of those in a folder, by name.

    All that have something to draw, or those of these `names`. Raises ValueError for an unknown
    name, and where one that was asked for has nothing to draw.
    """
    known = all_figures()
    for name in names:
        check_choice("figure", name, known)
    table = (results if isinstance(results, Results) else collect(results)).table
    drawn = {}
    for name in names or known:
        try:
            drawn[name] = known[name].draw(table)
        except NothingToDraw:
            if names:
                raise
    return drawn


def all_figures() -> dict[str, RegisteredFigure]:
    """Every figure in the order of the page, its module imported."""
    package = importlib.import_module("myopia.analysis.report.figures")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    return dict(sorted(FIGURES.items(), key=lambda item: item[1].place))
