"""The measures by name; a module in `analysis/measures/` registers each of its own."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

from myopia.analysis.evaluation.context import EvaluationContext

Measure = Callable[[EvaluationContext], dict[str, Any]]
MEASURES: dict[str, Measure] = {}
"""Name -> function from a context to entries of the evaluation: numbers, lists, dicts, None."""


def measure(function: Measure) -> Measure:
    """Decorator: the function's entries join every evaluation."""
    MEASURES[function.__name__] = function
    return function


def all_measures() -> dict[str, Measure]:
    """Every measure, its module imported."""
    package = importlib.import_module("myopia.analysis.measures")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    return MEASURES
