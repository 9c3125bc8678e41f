"""The sections of the report: one file each in `sections/`, registered by a decorator."""

from collections.abc import Callable
from typing import NamedTuple

import jinja2
from markupsafe import Markup

from myopia.analysis.report.results import Results
from myopia.common.registry import Registry

Write = Callable[[Results], Markup | None]
"""From results to HTML, or None where the section has nothing to say of them."""


class RegisteredSection(NamedTuple):
    """A section, its heading, and its place on the page."""

    place: int
    title: str
    write: Write


SECTIONS: Registry[RegisteredSection] = Registry(
    "section",
    "myopia.analysis.report.sections",
    entry=lambda name, write, place, title: RegisteredSection(place, title, write),
    order=lambda one: one.place,
)
"""Name -> section, in the order of the page; the name is the anchor on it."""
section = SECTIONS.register

TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("myopia.analysis.report"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters["decimal"] = lambda value, digits=3: decimal(value, digits)


def decimal(value: float, digits: int = 3) -> str:
    """A number with so many digits behind the point, fewer where it is large; no minus zero."""
    large = (abs(value) >= 10) + (abs(value) >= 100)
    return f"{value:z.{max(0, digits - large)}f}"


def fill(template: str, **values: object) -> Markup:
    """The template `analysis/report/templates/<template>.html`, filled; every value is escaped."""
    return Markup(TEMPLATES.get_template(f"{template}.html").render(**values))
