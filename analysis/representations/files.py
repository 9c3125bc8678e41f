"""What an inspection found, as files and as text."""

from pathlib import Path
from typing import Any

from myopia.agents.runs.run import check_run_links
from myopia.analysis.representations.inspection import PARTS, Inspection, inspect
from myopia.analysis.representations.run import inspection_of
from myopia.common.files import write_text
from myopia.common.search_path import safe_imports
from myopia.superposition.output import text_table, to_json, write_figure


@safe_imports()
def represent(
    run: str | Path,
    *,
    basis: str = "scalars",
    distribution: str = "reference",
    directions: int = 200,
    seed: int = 0,
    out: str | Path | None = None,
) -> dict[str, Any]:
    """Look inside the agent of a run folder: every part's tables, as in `representations.json`.

    Tables and figures are written to `out`, `representations` in the run folder if not given.

    Args:
        run: the run folder.
        basis: features as `scalars`, one column for each state variable, or `onehot` contrasts.
        distribution: states of the uniform policy (`reference`), or those that are `visited`.
        directions: random directions that every intervention is set against.
        seed: of everything that is drawn.
        out: folder for the files.

    Raises:
        ValueError: the folder is no finished run, or its policy is no plain network.
    """
    check_run_links(Path(run))
    folder = Path(run) / "representations" if out is None else Path(out)
    inspection = inspection_of(Path(run), basis, distribution, directions, seed, folder)
    return write_inspection(inspection, folder)


def write_inspection(inspection: Inspection, folder: Path) -> dict[str, Any]:
    """Every part, its figure and the tables in `folder`; returns what `inspect` gives."""
    entries = inspect(inspection)
    for name, part in PARTS.items():
        if any(entries["parts"][name].values()):
            write_figure(folder / f"{name}.png", part.draw(entries["parts"][name]))
    write_text(folder / "representations.json", to_json(entries))
    write_text(folder / "tables.txt", inspection_text(folder.name, entries) + "\n")
    return entries


def inspection_text(name: str, entries: dict[str, Any]) -> str:
    """What `inspect` gives as tables for a reader."""
    features = ", ".join(row["feature"] for row in entries["features"])
    head = (
        f"{name} in {entries['world']}: {entries['states']} {entries['distribution']} states; "
        f"features: {features}"
    )
    parts = [
        tables_text(f"{part}: {PARTS[part].question}", tables)
        for part, tables in entries["parts"].items()
    ]
    reasons = [f"  - {key}: {reason}" for key, reason in entries["reasons"].items()]
    null = ["null, because:\n" + "\n".join(reasons)] if reasons else []
    return "\n\n".join([head, *parts, *null, _summary(entries)])


def _summary(entries: dict[str, Any]) -> str:
    """A line for each state variable: where it acts, by the effects of shifting it."""
    rows = entries["parts"]["steering"]["effects"]
    layers: dict[str, list[str]] = {row["variable"]: [] for row in rows}
    for row in rows:
        if row["causal"]:
            layers[row["variable"]].append(row["layer"])
    lines = [
        f"  {variable}: " + (f"acts in {', '.join(found)}" if found else "found to act nowhere")
        for variable, found in layers.items()
    ]
    return "\n".join(["summary (shifts along a variable against random ones):", *lines])


def tables_text(title: str, tables: dict[str, list[dict[str, Any]]]) -> str:
    """Tables as text; lists are left to the JSON, and columns that are empty throughout."""
    texts = [title]
    for rows in tables.values():
        empty = {key for key in (rows[0] if rows else {}) if all(row[key] is None for row in rows)}
        texts.append(
            text_table(
                [
                    {
                        key: _rounded(value)
                        for key, value in row.items()
                        if key not in empty and not isinstance(value, list)
                    }
                    for row in rows
                ]
            )
        )
    return "\n\n".join(filter(None, texts))


def _rounded(value: Any) -> Any:
    """What is 0 but for rounding, as 0."""
    return 0.0 if isinstance(value, float) and abs(value) < 1e-12 else value
