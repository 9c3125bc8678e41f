"""Published results beside ours: theirs, ours, tolerance, pass.

The exit code is 1 if a row does not pass.

Example: myopia reproduce toy-models --exact
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro


@dataclass(frozen=True)
class Options:
    """Options of `myopia reproduce`."""

    name: Annotated[str | None, tyro.conf.Positional] = None
    """Which family of results."""
    list: bool = False
    """Print the families."""
    exact: bool = False
    """Only the quick rows, that train nothing."""
    out: Path | None = None
    """Folder for NAME.json and NAME.txt."""
    json: bool = False
    """Print JSON instead of a table."""


def run(options: Options) -> int:
    """Measure the rows of one family."""
    import torch

    from myopia.common.errors import check_choice
    from myopia.common.files import write_text
    from myopia.superposition.output import text_table, to_json

    known = families()
    if options.list or options.name is None:
        sources = {family.name: family.source for family in known.values()}
        listed = "\n".join(f"{name:<12}  {source}" for name, source in sources.items())
        print(to_json(sources) if options.json else listed)
        return 0
    check_choice("results", options.name, known)
    torch.set_num_threads(1)
    rows = [asdict(row) for row in known[options.name].rows(exact_only=options.exact)]
    verdict = {True: "pass", False: "FAIL", None: "-"}
    text = text_table([{**row, "passed": verdict[row["passed"]]} for row in rows])
    print(to_json(rows) if options.json else text)
    if options.out:
        write_text(options.out / f"{options.name}.json", to_json(rows))
        write_text(options.out / f"{options.name}.txt", text + "\n")
    return 1 if any(row["passed"] is False for row in rows) else 0


def families() -> dict[str, Any]:
    """The families of results by name, those of worlds among them."""
    import myopia.analysis.reproductions  # noqa: F401  (registers them)
    from myopia.superposition.reproductions import FAMILIES

    return FAMILIES
