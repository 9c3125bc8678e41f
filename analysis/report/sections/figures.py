"""The figures."""

import io

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

from myopia.analysis.report.figure import FIGURES, NothingToDraw
from myopia.analysis.report.results import Results
from myopia.analysis.report.section import fill, section
from myopia.superposition.figures import own_style


@section(place=40, title="Figures")
def figures(results: Results) -> Markup:
    """Every registered figure, or the sentence that says why it is not there."""
    drawn, missing = {}, {}
    for name, (_, caption, draw) in FIGURES.items():
        try:
            drawn[name] = caption, svg(draw(results.table), caption)
        except NothingToDraw as reason:
            missing[caption] = str(reason)
    return fill("figures", drawn=drawn, missing=missing)


@own_style
def svg(figure: Figure, described: str) -> Markup:
    """The figure as SVG in the page's own ink: black becomes the colour of the text around it."""
    buffer = io.StringIO()
    # without a salt the names of the parts are random, and no two pages would be equal
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": described}):
        figure.savefig(
            buffer,
            format="svg",
            transparent=True,
            metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")),
        )
    text = buffer.getvalue()
    # matplotlib names no colour for black text, and a page's own ink may be white
    label = Markup('<svg role="img" aria-label="{}" fill="currentColor"').format(described)
    # every word of it is matplotlib's own or was escaped by it
    return Markup(
        text[text.index("<svg") :].replace("<svg", label, 1).replace("#000000", "currentColor")
    )
