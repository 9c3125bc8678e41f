"""What the figures share: colours that print and that colour-blind readers can tell apart."""

from collections.abc import Iterator

from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Okabe and Ito's palette."""
ORACLES = {"myopic": (0, (1, 1.5)), "lifetime": (0, (5, 2))}
"""Oracle -> its line style, in grey."""


def new_figure(width: float = 6.4, height: float = 3.6) -> Figure:
    """An empty figure; it belongs to no window and needs no clean-up."""
    return Figure(figsize=(width, height), layout="constrained")


def colours() -> Iterator[str]:
    """One colour after the other, around again when they run out."""
    while True:
        yield from COLOURS
