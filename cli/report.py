"""One page with what was measured of the evaluated runs in a folder.

Example: myopia report runs/demo --out report/index.html
"""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro


@dataclasses.dataclass(frozen=True)
class Options:
    """What `myopia report` is asked."""

    folder: Annotated[Path, tyro.conf.Positional]
    """A run folder, or a folder of them, each evaluated."""
    out: Path | None = None
    """The page; index.html in the folder if not given."""


def run(options: Options) -> int:
    """Write the page, and say where."""
    from myopia.analysis.report import collect, write_report

    runs = collect(options.folder)
    out = options.out or options.folder / "index.html"
    write_report(runs, out, f"How myopic? {options.folder.name}")
    print(f"wrote {out}")
    return 0
