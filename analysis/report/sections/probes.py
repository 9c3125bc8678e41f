"""What the agents do in changed worlds."""

import inspect
from typing import Any

from markupsafe import Markup

from myopia.analysis.measures.score import Score
from myopia.analysis.probes.probe import PROBES
from myopia.analysis.report.results import Results
from myopia.analysis.report.scores import SCORES, summary
from myopia.analysis.report.section import fill, section

SHOWN = {
    "return": SCORES["return"],
    "mean stop": SCORES["stop"],
    "overrun": SCORES["overrun"],
    "overrun of the lifetime oracle": Score("", "stop.lifetime_overrun", ""),
    "overrun of the myopic oracle": Score("", "stop.myopic_overrun", ""),
    "looks ahead": SCORES["ahead"],
    "adapts": Score("adapts", "adapts", ""),
}
"""Heading -> the number of a changed world."""


@section(place=50, title="Probes: the same agents in changed worlds")
def probes(results: Results) -> Markup | None:
    """For each probe its question, and a row for each condition and changed world."""
    known = PROBES
    asked: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for condition, seeds in results.table.items():
        for name, label in dict.fromkeys(
            (name, label)
            for entries in seeds
            for name, answers in entries.get("probes", {}).items()
            for label in answers
        ):
            judged = [
                entries["probes"][name][label]
                for entries in seeds
                if label in entries.get("probes", {}).get(name, {})
            ]
            rows = asked.setdefault(name, {})
            rows[condition, label] = {key: summary(score, judged) for key, score in SHOWN.items()}
    if not asked:
        return None
    questions = {
        name: inspect.cleandoc((known[name].__doc__ if name in known else "") or "")
        for name in asked
    }
    table = results.table
    left_out = {
        name: [one for one in table if all(one != condition for condition, _ in rows)]
        for name, rows in asked.items()
    }
    return fill("probes", asked=asked, questions=questions, headings=list(SHOWN), left_out=left_out)
