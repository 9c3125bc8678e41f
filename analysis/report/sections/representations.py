"""What the agents represent, where `myopia represent` has looked."""

from typing import Any

from markupsafe import Markup

from myopia.analysis.report.results import Results
from myopia.analysis.report.section import fill, section
from myopia.analysis.report.sections.figures import svg
from myopia.analysis.representations.inspection import PARTS
from myopia.common.files import read_object, reading

HEADLINES = {
    "variable": "variable",
    "layer": "layer",
    "R2 before": "R² of a readout",
    "total variation": "choices changed when erased",
    "by chance": "by random erasures",
    "mean stop moves by": "stop moves by (epochs)",
}
"""Column of the erasures -> heading."""


@section(place=70, title="Inside the networks")
def representations(results: Results) -> Markup | None:
    """For each inspected run: the erasures as a table, every part's figure, and what is null."""
    parts = PARTS
    inspected: dict[str, dict[str, Any]] = {}
    for condition, runs in results.conditions.items():
        for run in runs:
            path = run.folder / "representations" / "representations.json"
            if not path.exists():
                continue
            with reading(path, "expected what myopia represent writes"):
                entries = read_object(path)
                known = {name: t for name, t in entries["parts"].items() if name in parts}
                own = run.folder.resolve().name
                inspected[condition if own == condition else f"{condition}, {own}"] = {
                    **{key: entries[key] for key in ("states", "distribution", "basis", "reasons")},
                    "erasures": known.get("erasure", {}).get("erasures", []),
                    "figures": {
                        name: (asked, svg(parts[name].draw(tables), asked))
                        for name, tables in known.items()
                        if any(tables.values()) and (asked := parts[name].question)
                    },
                }
    if not inspected:
        return None
    return fill("representations", inspected=inspected, headlines=HEADLINES)
