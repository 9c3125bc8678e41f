"""What an agent's network represents, and what of it acts.

What its layers represent, what of it can be read, and what of it acts.
Every layer of the policy's and the value's tower is read on the exact states of the agent's
world: metrics of superposition (raw and canonical), probes with their controls, erasure and
shifts against matched random directions, patching between epochs, sparse dictionaries; several
runs are compared layer by layer.

Example: myopia represent runs/first
Example: myopia represent runs/seed-0 runs/seed-1 runs/seed-2 --out runs/compared --json
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

PLACE = 80
"""Where it stands in the overview."""


@dataclass(frozen=True)
class Options:
    """What `myopia represent` is asked."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Run folders; several of them are compared as well."""
    basis: Literal["scalars", "onehot"] = "scalars"
    """Features as one column for each state variable, or as contrasts between its values."""
    distribution: Literal["reference", "visited"] = "reference"
    """The states of the uniform policy that never shuts down, or the agent's own."""
    directions: int = 200
    """Random directions that every intervention is set against."""
    seed: int = 0
    """Of everything that is drawn."""
    out: Path | None = None
    """Folder for the files of each run and of the comparison (default: `representations` in each
    run folder, and no file of the comparison)."""
    world_module: str | None = None
    """Your own module of the world, such as factory: what a folder names is not run by itself."""
    json: bool = False
    """Print JSON instead of tables."""


def run(options: Options) -> int:
    """Inspect, print, and keep tables and figures."""
    from myopia.agents.runs.run import check_run_links
    from myopia.analysis.representations.files import (
        inspection_text,
        tables_text,
        write_inspection,
    )
    from myopia.analysis.representations.run import (
        inspection_of,
        short_names,
        similarity,
        similarity_figure,
    )
    from myopia.cli.shared import one_thread
    from myopia.superposition.output import to_json, write_figure

    if not options.runs:
        raise ValueError("expected at least one run folder, as in: myopia represent runs/first")
    one_thread()
    inspections, folders = {}, {}
    settings = dataclasses.asdict(options)
    settings = {name: settings[name] for name in ("basis", "distribution", "directions", "seed")}
    for path in options.runs:
        check_run_links(path)
    for name, path in short_names(options.runs).items():
        folders[name] = options.out / name if options.out else path / "representations"
        inspections[name] = inspection_of(path, **settings, out=folders[name])
    compared = similarity(inspections) if len(inspections) > 1 else None
    whole: dict[str, Any] = {"runs": {}, "similarity": compared}
    for name, inspection in inspections.items():
        entries = whole["runs"][name] = write_inspection(inspection, folders[name])
        if not options.json:
            print(inspection_text(name, entries), end="\n\n")
            figures = ", ".join(sorted(path.name for path in folders[name].glob("*.png")))
            print(f"written to {folders[name]}: representations.json, tables.txt, {figures}\n")
    if compared and not options.json:
        print(tables_text("similarity: are the layers of these agents alike?", compared))
    if options.json:
        print(to_json(whole))
    if compared and options.out:
        write_figure(options.out / "similarity.png", similarity_figure(compared))
    return 0
