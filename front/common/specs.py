"""Settings as text: `kind:key=value,key=value` to a frozen dataclass and back.

Schedules and index modes are written this way in Python, on the command line and in files.
"""

import dataclasses
import re
import typing
from collections.abc import Mapping
from typing import Any

from myopia.common.errors import check_choice, unknown_name_error


def parse(text: str, what: str, kinds: Mapping[str, type]) -> Any:
    """The dataclass that `text` describes.

    Raises ValueError for an unknown kind or key, a missing key, or a value of the wrong type.
    """
    kind, values = split(text, what, kinds)
    return build(kinds[kind], values, f"{what} {text!r}")


def split(text: str, what: str, kinds: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The kind and the values, still text, of `kind:key=value,key=value`.

    Raises ValueError for an unknown kind, a key without a value or one that is given twice.
    """
    kind, _, rest = text.strip().partition(":")
    if kind not in kinds:
        raise unknown_name_error(what, kind, kinds)
    values: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in rest.split(","))):
        key, equals, value = item.partition("=")
        if not equals:
            raise ValueError(f"{what} {text!r}: expected key=value, got {item!r}")
        if key.strip() in values:
            raise ValueError(f"{what} {text!r}: {key.strip()} is given twice")
        values[key.strip()] = value.strip()
    return kind, values


def build(cls: type, values: Mapping[str, Any], where: str, word: str = "dial") -> Any:
    """`cls(**values)` for a dataclass, each text converted to its field's type.

    `word` is what a key is called.

    Raises ValueError naming `where`, the key and the nearest known key.
    """
    types = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    converted = {}
    for key, value in values.items():
        if key not in fields:
            raise ValueError(f"{where}: {unknown_name_error(word, key, fields)}")
        converted[key] = convert(value, types[key], f"{where}: {key}")
    for name, field in fields.items():
        required = field.default is field.default_factory is dataclasses.MISSING
        if required and name not in converted:
            raise ValueError(f"{where}: {name}=... is missing")
    return cls(**converted)


def convert(value: Any, kind: Any, where: str) -> Any:
    """`value` (text or already typed) as `kind`.

    Kinds: bool, int, float, str, a Literal, a tuple of one of them (text separated by /), or one
    of them or None. Raises ValueError naming `where` and what was expected.
    """
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is typing.Literal:
        return check_choice(where, value, arguments)
    if type(None) in arguments:
        inner = next(argument for argument in arguments if argument is not type(None))
        return None if value in (None, "none") else convert(value, inner, where)
    if typing.get_origin(kind) is tuple:
        parts = value.split("/") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple):
            raise ValueError(f"{where}: expected values separated by /, got {value!r}")
        return tuple(convert(part, arguments[0], where) for part in parts)
    try:
        if kind is bool:
            return _boolean(value)
        if kind is int and not isinstance(value, bool):
            return _whole(value)
        if kind is float and not isinstance(value, bool):
            return float(_number(value))
        if kind is str and isinstance(value, str):
            return value
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"{where}: expected {getattr(kind, '__name__', kind)}, got {value!r}")


def format_spec(kind: str, settings: Any, *, defaults: bool = True) -> str:
    """The text that `parse` reads back to `settings`, with or without what is at its default."""
    pairs = []
    for field in dataclasses.fields(settings):
        if not defaults and getattr(settings, field.name) == field.default:
            continue
        pairs.append(f"{field.name}={format_value(getattr(settings, field.name))}")
    return kind + (":" + ",".join(pairs) if pairs else "")


def format_value(value: Any) -> str:
    """A value as a dial on the command line."""
    if isinstance(value, tuple):
        return "/".join(format_value(part) for part in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        short = f"{value:.15g}"
        return short if float(short) == value else repr(value)
    return str(value)


def _number(value: Any) -> Any:
    """`value`, but for text that only Python takes for a number: `1_0`, ` 1`, other digits."""
    if isinstance(value, str) and not re.fullmatch(r"[A-Za-z0-9.+-]+", value):
        raise ValueError
    return value


def _whole(value: Any) -> int:
    """An int, exactly; of a float, or of text like `1e3`, where it is one."""
    value = _number(value)
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d+", value, re.ASCII):
        return int(value)
    if isinstance(value, int):
        return value
    number = float(value)
    if number != int(number):
        raise ValueError
    return int(number)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    truth = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if str(value).lower() not in truth:
        raise ValueError
    return truth[str(value).lower()]
