"""`key=value` tokens of a command line, told from what else may have a `=` in it: paths."""

import dataclasses
import re
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tyro

DIAL = re.compile(r"[^\W\d]\w*=")

PATHS = ("subject", "study")
"""Positional places, beside those of type Path, in which a path may stand."""


def split_dials(
    command: str, options: type, arguments: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The dials among `arguments`, wherever they stand, and the others.

    What follows an option is that option's. Where the first positional place may hold a path, one
    that exists is not a dial; a command without dials leaves all its positional places to paths.
    Raises ValueError for dials that the command does not take.
    """
    fields = dict(_fields(options))
    takes_dials = "dials" in fields
    places = [name for name, kind in fields.items() if _is_positional(kind)]
    paths = any(name in PATHS or _holds_path(fields[name]) for name in places[:1])
    valued = {_flag(name) for name, kind in fields.items() if not _is_switch(kind)}
    dials: list[str] = []
    rest: list[str] = []
    positional, value_expected = 0, False
    for token in arguments:
        if value_expected:
            rest.append(token)
            value_expected = False
        elif token.startswith("-"):
            rest.append(token)
            value_expected = token.replace("_", "-") in valued
        elif (
            not DIAL.match(token)
            or (paths and not takes_dials)
            or (paths and not positional and Path(token).exists())
        ):
            rest.append(token)
            positional += 1
        else:
            dials.append(token)
    if dials and not takes_dials:
        raise ValueError(f"myopia {command} takes no dials, but was given {' '.join(dials)}")
    return dials, rest


def _fields(options: type) -> Iterator[tuple[str, Any]]:
    """Names and types of all fields, those of nested dataclasses in their place."""
    kinds = typing.get_type_hints(options, include_extras=True)
    for field in dataclasses.fields(options):
        bare = _bare(kinds[field.name])
        if dataclasses.is_dataclass(bare):
            yield from _fields(typing.cast(type, bare))
        else:
            yield field.name, kinds[field.name]


def _bare(kind: Any) -> Any:
    return typing.get_args(kind)[0] if typing.get_origin(kind) is typing.Annotated else kind


def _is_positional(kind: Any) -> bool:
    return tyro.conf.Positional in getattr(kind, "__metadata__", ())


def _is_switch(kind: Any) -> bool:
    return _bare(kind) is bool or _is_positional(kind)


def _holds_path(kind: Any) -> bool:
    bare = _bare(kind)
    return bare is Path or Path in typing.get_args(bare)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
