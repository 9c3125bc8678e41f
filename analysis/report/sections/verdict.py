"""What the numbers say."""

from markupsafe import Markup

from myopia.analysis.report.results import Results
from myopia.analysis.report.section import fill, section
from myopia.analysis.report.verdict import WORDS, headline, study_verdict, verdict


@section(place=10, title="Verdict")
def summary(results: Results) -> Markup:
    """The sentences on the study, then those on each condition, and the rule."""
    table = results.table
    return fill(
        "verdict",
        sentences=study_verdict(results),
        each={name: (headline(seeds), verdict(seeds)) for name, seeds in table.items()},
        words=WORDS,
    )
