"""What the commands share: a world from its name and `key=value` tokens, tables, JSON."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from myopia.common.show import show
from myopia.envs import World, find_world, make_world


def dials_from(tokens: Sequence[str]) -> dict[str, str]:
    """`key=value` tokens as a dict, split at the first `=`; a repeated key is an error."""
    dials: dict[str, str] = {}
    for token in tokens:
        key, _, value = token.partition("=")
        if key in dials:
            raise ValueError(f"dial {key!r} is given twice: {dials[key]!r} and {value!r}")
        dials[key] = value
    return dials


def world_from(name: str, tokens: Sequence[str]) -> World:
    """The world that the command line describes."""
    return make_world(find_world(name), **dials_from(tokens))


def follow_up(command: str, folder: Path, world: str) -> str:
    """The command to go on with in a folder, as one types it; `world` is named as in a config."""
    module = world.rpartition(":")[0]
    name = str(folder)
    words = [f"./{name}" if name.startswith("-") else name]
    return shlex.join(["myopia", command, *words, *(["--world-module", module] if module else [])])


def print_json(value: Any) -> None:
    """A result for machines."""
    print(json.dumps(value, indent=2, allow_nan=False))


def print_table(rows: Mapping[str, Any]) -> None:
    """Names and values, aligned."""
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"  {name:<{width}}  {show(value)}")


def one_thread() -> None:
    """One torch thread: networks this small are slower on two."""
    import torch

    torch.set_num_threads(1)
