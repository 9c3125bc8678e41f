"""One page with what was measured of the evaluated runs in a folder.

Example: myopia report runs/quickstart --out report/index.html
"""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from myopia.cli.shared import one_thread


@dataclasses.dataclass(frozen=True)
class Options:
    """What `myopia report` is asked."""

    folder: Annotated[Path, tyro.conf.Positional]
    """A study's folder, a run folder, or a folder of them, each evaluated."""
    out: Path | None = None
    """The page; index.html in the folder if not given."""
    world_module: str | None = None
    """Your own module of the world, such as factory: what a folder names is not run by itself."""


def run(options: Options) -> int:
    """Write the page, say the verdict, and where the page is."""
    from myopia.analysis.report.report import write_report
    from myopia.analysis.report.results import collect
    from myopia.analysis.report.verdict import study_verdict

    one_thread()
    results = collect(options.folder)
    out = write_report(results, options.out or options.folder / "index.html")
    for sentence in study_verdict(results.table):
        print(sentence)
    print(f"wrote {out}")
    return 0
