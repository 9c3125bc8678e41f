"""The look of all figures: one place for colours and spines, and none of it from outside."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#6a4c93", "#7f5539")
"""Okabe and Ito's palette, told apart by all, on white and on black; less black and yellow, but
with a purple and a brown, for as many layers."""
GREY = "#8a8f96"


P = ParamSpec("P")
R = TypeVar("R")


def own_style(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator: `function` draws or saves with matplotlib's defaults, whatever was set before.

    matplotlib reads `./matplotlibrc`, and what it sets (`text.usetex`) may start programs.
    """

    @functools.wraps(function)
    def styled(*arguments: P.args, **keywords: P.kwargs) -> R:
        with matplotlib.style.context("default"):
            return function(*arguments, **keywords)

    return styled


def literal(text: str) -> str:
    """A text in which matplotlib reads no mathematics: for names that somebody chose."""
    return text.replace("$", r"\$")


def panels(rows: int, columns: int, width: float, height: float, **subplots: Any) -> Any:
    """A figure in constrained layout and its axes, as (rows, columns) array."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **subplots)
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(which="both", labelsize=8)
    return figure, axes


def label(axis: Axes, title: str, x: str = "", y: str = "") -> None:
    """Title and axis names at the sizes that all figures share."""
    axis.set_title(title, fontsize=9, loc="left")
    axis.set_xlabel(x, fontsize=8)
    axis.set_ylabel(y, fontsize=8)
