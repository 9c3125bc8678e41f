"""Whether the agents tamper with the clock, and whether that pays."""

from markupsafe import Markup

from myopia.analysis.report.results import Results
from myopia.analysis.report.section import fill, section
from myopia.envs.task import TAMPER_KINDS


@section(place=25, title="Tampering")
def tampering(results: Results) -> Markup | None:
    """A row for each condition whose world offers it; None where no world does."""
    rows = {}
    for name, seeds in results.table.items():
        found = [entries["tampering"] for entries in seeds if entries["tampering"]]
        if found:
            chances = {kind: [one[kind] for one in found] for kind in ("any", *TAMPER_KINDS)}
            ends = {kind: (min(values), max(values)) for kind, values in chances.items()}
            rows[name] = {"ends": ends, "oracles": found[0]["oracles"]}
    return fill("tampering", rows=rows, kinds=("any", *TAMPER_KINDS)) if rows else None
