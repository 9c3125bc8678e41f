"""Published results beside ours.

Theirs, ours, tolerance, pass.
The exit code is 1 if a row does not pass.

Example: myopia reproduce toy-models --exact
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import tyro

PLACE = 130
"""Where it stands in the overview."""


@dataclass(frozen=True)
class Options:
    """Options of `myopia reproduce`."""

    name: Annotated[str | None, tyro.conf.Positional] = None
    """Which results; left out, all are listed."""
    list: bool = False
    """Print what there is."""
    exact: bool = False
    """Only the quick rows, that train nothing."""
    out: Path | None = None
    """Folder for NAME.json and NAME.txt."""
    json: bool = False
    """Print JSON instead of a table."""


def run(options: Options) -> int:
    """Measure the rows of one source."""
    import torch

    from myopia.analysis.reproductions import REPRODUCTIONS
    from myopia.common.errors import check_choice
    from myopia.common.files import write_text
    from myopia.superposition.output import text_table, to_json

    if options.list or options.name is None:
        sources = {one.name: one.source for one in REPRODUCTIONS.values()}
        width = max(map(len, sources))
        listed = "\n".join(f"{name:<{width}}  {source}" for name, source in sources.items())
        print(to_json(sources) if options.json else listed)
        return 0
    check_choice("results", options.name, REPRODUCTIONS)
    torch.set_num_threads(1)
    rows = [asdict(row) for row in REPRODUCTIONS[options.name].rows(options.exact)]
    verdict = {True: "pass", False: "FAIL", None: "-"}
    text = text_table([{**row, "passed": verdict[row["passed"]]} for row in rows])
    print(to_json(rows) if options.json else text)
    if options.out:
        write_text(options.out / f"{options.name}.json", to_json(rows))
        write_text(options.out / f"{options.name}.txt", text + "\n")
    return 1 if any(row["passed"] is False for row in rows) else 0
