"""One page with what was measured.

Of the evaluated runs in a folder.

Example: myopia report runs/quickstart --out report/index.html
Example: myopia report runs/quickstart --figures figures --format pdf --csv tables --latex tables
"""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from myopia.cli.shared import one_thread, print_json
from myopia.common.errors import check_choice

PLACE = 60
"""Where it stands in the overview."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What `myopia report` is asked."""

    folder: Annotated[Path, tyro.conf.Positional]
    """A study's folder, a run folder, or a folder of them; what is not evaluated yet will be."""
    out: Path | None = None
    """The page; index.html in the folder if not given."""
    figures: Path | None = None
    """Folder for the figures of the page, as files."""
    format: str = "pdf"
    """Of those figures: pdf, png or svg."""
    csv: Path | None = None
    """Folder for the tables of the page, as CSV, and a row for every seed."""
    latex: Path | None = None
    """Folder for the tables of the page, for LaTeX with booktabs."""
    json: bool = False
    """Print JSON."""
    world_module: str | None = None
    """Your own module of the world, such as factory: what a folder names is not run by itself."""


def run(options: Options) -> int:
    """Write the page, say the verdict, and where the page is."""
    from myopia.analysis.report.evaluate_runs import evaluate_runs
    from myopia.analysis.report.export import FORMATS, write_figures, write_tables
    from myopia.analysis.report.report import write_report
    from myopia.analysis.report.verdict import study_verdict

    check_choice("format", options.format, FORMATS)
    one_thread()
    results = evaluate_runs(options.folder, only_missing=True)
    out = write_report(results, options.out or options.folder / "index.html")
    written = [out]
    if options.figures:
        written += write_figures(results, options.figures, options.format)
    for path, kind in ((options.csv, "csv"), (options.latex, "latex")):
        if path:
            written += write_tables(results, path, kind)
    if options.json:
        told = {"verdict": study_verdict(results), "missing": list(results.missing)}
        print_json({"page": str(out), "written": [str(path) for path in written], **told})
        return 0
    for sentence in study_verdict(results):
        print(sentence)
    for one in results.missing:
        print(f"left out: {one}")
    for path in written:
        print(f"wrote {path}")
    return 0
