"""Whether the entries of an `evaluation.json` are shaped as this version writes them.

What shape that is, is read off an evaluation made here: so it follows from the measures.
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from myopia.analysis.evaluation.classify import KINDS, STOPS
from myopia.analysis.evaluation.evaluation import evaluate_agent
from myopia.analysis.exact.discount_fit import GRID
from myopia.envs import make_world
from myopia.envs.task import TAMPER_KINDS
from myopia.envs.world import World

LARGEST = 1e150
"""Of a number: figures square them."""


def check_entries(entries: Any, path: Path, world: World | None = None) -> None:
    """Raise ValueError, naming `path`, where a report could not be made of these entries.

    `world` is what the run was trained in; None where it is somebody's own that is not imported.
    """
    template, long = _template()
    try:
        if not isinstance(entries, Mapping):
            raise _Misfit("", "an object", entries)
        epochs = _dial(entries, "max_epochs") if world is None else world.max_epochs
        sizes = {long: epochs, long + 1: epochs + 1, len(GRID): len(GRID)}
        _check(entries, template, "", sizes)
        if entries["class"] is not None:
            kind, stop = entries["class"]["kind"], entries["class"]["stop"]
            if kind not in KINDS or stop not in (None, *STOPS):
                raise _Misfit("class", f"one of {', '.join(KINDS)}", kind)
        if entries["method"] not in ("exact", "sampled"):
            raise _Misfit("method", "exact or sampled", entries["method"])
        _check_rest(entries, template, sizes)
    except _Misfit as misfit:
        raise ValueError(
            f"{path} is damaged ({misfit}): expected what myopia evaluate {path.parent} writes"
        ) from None


class _Misfit(Exception):  # noqa: N818 - it is told as a ValueError
    def __init__(self, where: str, expected: str, got: Any) -> None:
        shown = str(got)
        super().__init__(
            f"{where or 'it'}: expected {expected}, got {shown[:60]}{'...' * (len(shown) > 60)}"
        )


def _check(value: Any, like: Any, where: str, sizes: Mapping[int, int | None]) -> None:
    """`value` is what `like` is; null where it could not be computed."""
    if value is None or like is None:
        return
    if isinstance(like, Mapping):
        if not isinstance(value, Mapping):
            raise _Misfit(where, "an object", value)
        for key, part in like.items():
            if key not in value:
                raise _Misfit(where, f"an entry {key}", ", ".join(map(str, value)))
            _check(value[key], part, f"{where}.{key}".lstrip("."), sizes)
    elif isinstance(like, list):
        if not isinstance(value, list):
            raise _Misfit(where, "a list", value)
        length = sizes.get(len(like))  # of other lists nobody knows what it stands for
        if length is not None and len(value) != length:
            raise _Misfit(where, f"{length} entries", f"{len(value)}")
        for place, part in enumerate(value):
            if part is None and like[0] is not None:
                raise _Misfit(f"{where}.{place}", "no null", part)
            _check(part, like[0], f"{where}.{place}", sizes)
    elif isinstance(like, bool | str):
        if not isinstance(value, type(like)):
            raise _Misfit(where, "text" if isinstance(like, str) else "true or false", value)
    elif isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > LARGEST:
        raise _Misfit(where, "a number", value)


def _check_rest(entries: Mapping[str, Any], like: Any, sizes: Mapping[int, int | None]) -> None:
    """What an evaluation has beside the measures: reasons, probes, a learning curve."""
    for name, kind in (("reasons", str), ("dials", object)):
        if not isinstance(entries[name], Mapping):
            raise _Misfit(name, "an object", entries[name])
        for key, value in entries[name].items():
            if not isinstance(value, kind):
                raise _Misfit(f"{name}.{key}", "text", value)
    for probe, answers in _object(entries, "probes").items():
        if not isinstance(answers, Mapping):
            raise _Misfit(f"probes.{probe}", "an object", answers)
        for label, answer in answers.items():
            if not isinstance(answer, Mapping):
                raise _Misfit(f"probes.{probe}.{label}", "an object", answer)
            free = dict.fromkeys(sizes)
            _check(answer, like, f"probes.{probe}.{label}", free)
    learning = _object(entries, "learning")
    columns = list(learning.values())
    for name, column in learning.items():
        if not isinstance(column, list) or len(column) != len(columns[0]):
            raise _Misfit(f"learning.{name}", f"a list as long as {next(iter(learning))}", column)
        for value in column:
            _check(value, 0.0, f"learning.{name}", sizes)
    _object(entries, "intervals")


def _object(entries: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = entries.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _Misfit(name, "an object", value)
    return value


def _dial(entries: Mapping[str, Any], name: str) -> int:
    value = _object(entries, "dials").get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _Misfit(f"dials.{name}", "a whole number", value)
    return value


@functools.lru_cache(maxsize=1)
def _template() -> tuple[dict[str, Any], int]:
    """An evaluation, and in how many epochs: a number that no list has by chance."""
    world = make_world("Investment", max_epochs=37)
    chances = np.array([0.2, 0.7, 0.1])  # neither fair, nor any oracle's: nothing is null
    entries = evaluate_agent(world, lambda seen: np.tile(chances, (len(seen), 1)), "some").json()
    entries["reasons"], entries["dials"] = {}, {}  # whatever they hold
    # what is null there
    entries["conflict"]["survive"] = entries["conflict"]["invest"]
    entries["foresight"]["survive"] = entries["objective_share"] = 0.0
    entries["delta"]["estimate"] = entries["delta_stop"]["estimate"] = 0.0
    oracles = {name: {"least": 0.0, "most": 0.0} for name in ("myopic", "lifetime")}
    entries["tampering"] = dict.fromkeys(("any", *TAMPER_KINDS), 0.0) | {"oracles": oracles}
    return entries, world.max_epochs
