"""Sentences for people: a wrong name is answered with the nearest right one."""

import difflib
from collections.abc import Iterable


def unknown_name_error(kind: str, name: object, choices: Iterable[str]) -> ValueError:
    """The error for a name that is none of `choices`, with the nearest of them."""
    known = list(choices)
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
