"""One self-contained page with what was measured: `index.html`, no network needed."""

from pathlib import Path

from myopia.analysis.report.results import Results, collect
from myopia.analysis.report.section import SECTIONS, fill
from myopia.common.files import write_text
from myopia.common.search_path import safe_imports


@safe_imports()
def write_report(results: Results | str | Path, path: str | Path) -> Path:
    """Write the page on these results, or those in a folder, to `path`, whole or not at all.

    Raises ValueError where the folder holds no judged run (see `collect`).
    """
    path = Path(path)
    if not isinstance(results, Results):
        results = collect(results)
    sections = {
        name: (title, text)
        for name, (_, title, write) in SECTIONS.items()
        if (text := write(results)) is not None
    }
    write_text(path, fill("report", title=results.title, sections=sections))
    return path
