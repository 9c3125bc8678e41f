"""Values as a reader wants them, on a terminal and on a page."""

from typing import Any


def show(value: Any) -> str:
    """A number, list or nothing, for a reader."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return "0" if abs(value) < 1e-12 else f"{value:.4g}"  # what is 0 but for rounding
    if isinstance(value, list | tuple):
        return " ".join(show(part) for part in value)
    return str(value)
