"""Sentences for people: a wrong name is answered with the nearest right one."""

import difflib
import math
from collections.abc import Iterable

MOST_LETTERS = 100
"""Of a name that is quoted: it may be a whole file."""


def unknown_name_error(kind: str, name: object, choices: Iterable[str]) -> ValueError:
    """The error for a name that is none of `choices`, with the nearest of them."""
    known = list(choices)
    if len(str(name)) > MOST_LETTERS:
        name = str(name)[:MOST_LETTERS] + "..."
    close = difflib.get_close_matches(str(name).lower(), [choice.lower() for choice in known], n=1)
    if close:
        nearest = next(choice for choice in known if choice.lower() == close[0])
        return ValueError(f"unknown {kind} {name!r}, did you mean {nearest!r}?")
    return ValueError(f"unknown {kind} {name!r}, expected one of {', '.join(known) or 'none'}")


def check_choice(kind: str, name: str, choices: Iterable[str]) -> str:
    """`name` itself, or the error that names the nearest choice."""
    known = list(choices)
    if name not in known:
        raise unknown_name_error(kind, name, known)
    return name


def check_at_least(values: object, /, where: str = "", **least: float) -> None:
    """Raise ValueError where an attribute of `values` is below the bound for it, or no number.

    `where` is said before the name, such as `schedule linear: `.
    """
    for name, bound in least.items():
        value = getattr(values, name)
        if not (math.isfinite(value) and value >= bound):
            raise ValueError(f"{where}{name} must be at least {bound:g}, got {value}")


def check_positive(values: object, *names: str) -> None:
    """Raise ValueError where one of these attributes of `values` is not above 0, or no number."""
    for name in names:
        value = getattr(values, name)
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a number above 0, got {value}")


def first_line(error: BaseException, most: int = 200) -> str:
    """What an error says, in one line that a terminal can show: it may quote somebody's file."""
    line = next(iter(str(error).splitlines()), "") or type(error).__name__
    return line if len(line) <= most else line[:most] + " ..."
