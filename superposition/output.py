"""Tables as text and JSON, and files that are written whole or not at all."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from myopia.common.files import write_whole
from myopia.superposition.figures import own_style


def text_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows with the same keys as aligned text, numbers to four digits; an empty string for none."""
    if not rows:
        return ""
    cells = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numeric = [isinstance(value, int | float) for value in rows[0].values()]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def answer_text(answers: Mapping[str, Any]) -> str:
    """What an experiment answers, a line each; answers of several values as tables."""
    return "\n".join(
        f"{question}\n{_indented(_answer_table(answer))}"
        if isinstance(answer, Mapping)
        else f"{question}: {_shown(answer)}"
        for question, answer in answers.items()
    )


def _answer_table(answer: Mapping[Any, Any]) -> str:
    """A row for each entry that has entries itself, else one row of all."""
    if not all(isinstance(value, Mapping) for value in answer.values()):
        return text_table([{str(key): _shown(value) for key, value in answer.items()}])
    return text_table(
        [
            {"": str(label), **{str(key): _shown(value) for key, value in row.items()}}
            for label, row in answer.items()
        ]
    )


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " to ".join(map(_cell, value)) if len(value) == 2 else ", ".join(map(_cell, value))
    return _cell(value)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.split("\n"))


def to_json(value: Any) -> str:
    """JSON with numbers that are not finite as null."""
    return json.dumps(_plain(value), indent=2, ensure_ascii=False)


@own_style
def write_figure(path: Path, figure: Figure) -> None:
    """Write a PNG whole or not at all."""
    write_whole(
        path, lambda temporary: figure.savefig(temporary, format="png", dpi=160, facecolor="white")
    )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
