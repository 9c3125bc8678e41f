"""The sections of the report: one file each in `sections/`, registered by a decorator."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import NamedTuple

import jinja2
from markupsafe import Markup

from myopia.analysis.report.results import Results

Write = Callable[[Results], Markup | None]
"""From results to HTML, or None where the section has nothing to say of them."""


class RegisteredSection(NamedTuple):
    """A section, its heading, and its place on the page."""

    place: int
    title: str
    write: Write


SECTIONS: dict[str, RegisteredSection] = {}
"""Name -> section; the name is the anchor on the page."""

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


def section(place: int, title: str) -> Callable[[Write], Write]:
    """Decorator: the report has this section there, under this heading."""

    def keep(write: Write) -> Write:
        SECTIONS[write.__name__] = RegisteredSection(place, title, write)
        return write

    return keep


def all_sections() -> dict[str, RegisteredSection]:
    """Every section in the order of the page, its module imported."""
    package = importlib.import_module("myopia.analysis.report.sections")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    return dict(sorted(SECTIONS.items(), key=lambda item: item[1].place))


def fill(template: str, **values: object) -> Markup:
    """The template `analysis/report/templates/<template>.html`, filled; every value is escaped."""
    return Markup(TEMPLATES.get_template(f"{template}.html").render(**values))
