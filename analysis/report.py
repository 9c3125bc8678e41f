"""One self-contained page with what was measured: `index.html`, no network needed."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from matplotlib.figure import Figure

from myopia.agents.files import read_json, write_text
from myopia.analysis.figures.reward_by_epoch import reward_by_epoch
from myopia.analysis.figures.survival import survival
from myopia.analysis.verdict import verdict

FIGURES = {
    "How long it runs": survival,
    "What it earns, epoch by epoch": reward_by_epoch,
}
"""Caption -> figure; each is a function of {name: entries of evaluation.json}."""


def collect(folder: Path) -> dict[str, dict[str, Any]]:
    """Run folders in `folder` (or itself) -> their evaluation and record.

    Raises ValueError where none of them was evaluated.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: expected a folder of runs, but there is none")
    found = {}
    for path in [folder, *sorted(folder.iterdir())]:
        if (path / "evaluation.json").exists():
            record = {name: read_json(path / f"{name}.json") for name in ("config", "run")}
            found[path.name] = {"evaluation": read_json(path / "evaluation.json"), **record}
    if not found:
        raise ValueError(f"{folder}: no evaluated run in it; expected runs, then myopia evaluate")
    return found


def write_report(runs: Mapping[str, Mapping[str, Any]], path: Path, title: str) -> Path:
    """Write the page on these runs (see `collect`) to `path`, whole or not at all."""
    evaluations = {name: run["evaluation"] for name, run in runs.items()}
    template = jinja2.Environment(
        loader=jinja2.PackageLoader("myopia.analysis"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    ).get_template("report.html")
    page = template.render(
        title=title,
        runs=runs,
        verdicts={name: verdict(entries) for name, entries in evaluations.items()},
        figures={caption: _svg(draw(evaluations)) for caption, draw in FIGURES.items()},
    )
    write_text(path, page)
    return path


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(
        buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
    )
    text = buffer.getvalue()
    return text[text.index("<svg") :]
