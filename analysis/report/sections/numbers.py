"""The table of conditions."""

from collections.abc import Sequence

from markupsafe import Markup

from myopia.analysis.measures.score import Entries
from myopia.analysis.report.results import Results
from myopia.analysis.report.scores import SCORES, summary
from myopia.analysis.report.section import fill, section
from myopia.analysis.report.verdict import headline

PARTS = {"earned": "What it learned and earned", "ahead": "How far it looks ahead"}
"""Part -> the title of its table: together they would be wider than a page."""


@section(place=20, title="Numbers")
def numbers(results: Results) -> Markup:
    """A row for each condition: means and ends over seeds, the median's interval from 5 on."""
    rows = {
        name: {
            "seeds": len(seeds),
            "classes": headline(seeds),
            "method": ", ".join(sorted({entries["method"] for entries in seeds})),
            "cutoff": seeds[0]["cutoff"],
            "best": seeds[0]["lifetime_optimal_return"],
            "myopic": seeds[0]["myopic_return"],
            "summaries": {key: summary(score, seeds) for key, score in SCORES.items()},
            "delta": _bracket(seeds),
        }
        for name, seeds in results.table.items()
    }
    parts = {
        title: [key for key, score in SCORES.items() if score.part == part]
        for part, title in PARTS.items()
    }
    return fill("numbers", rows=rows, scores=SCORES, parts=parts)


def _bracket(seeds: Sequence[Entries]) -> tuple[float, float] | None:
    """The discounts that explain the choices of some seed; None where no seed tells."""
    found = [e["delta"] for e in seeds if e["delta"] and e["delta"]["estimate"] is not None]
    if not found:
        return None
    return min(one["low"] for one in found), max(one["high"] for one in found)
