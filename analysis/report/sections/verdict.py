"""What the numbers say."""

from markupsafe import Markup

from myopia.analysis.report.results import Results
from myopia.analysis.report.scores import SCORES
from myopia.analysis.report.section import fill, section
from myopia.analysis.report.verdict import MOSTLY, TRAINED, standing, study_verdict, verdict


@section(10, "Verdict")
def summary(results: Results) -> Markup:
    """Two sentences on the study, then one on each condition."""
    table = results.table
    return fill(
        "verdict",
        sentences=study_verdict(table),
        each={name: (standing(seeds), verdict(seeds)) for name, seeds in table.items()},
        missing=results.missing,
        trained=TRAINED,
        mostly=MOSTLY,
        margin=SCORES["ahead"].margin,
    )
