"""A line on the terminal where a sweep over the epochs takes long."""

from collections.abc import Iterable

from tqdm import tqdm

PATIENCE = 2.0
"""Seconds before anything is shown; nothing is where standard error is no terminal."""


def over_epochs(K: int, what: str, backward: bool = False) -> Iterable[int]:
    """0 .. K - 1, or K - 1 .. 0, with a line that says how far `what` has come."""
    epochs = reversed(range(K)) if backward else range(K)
    return tqdm(
        epochs, desc=what, total=K, unit=" epochs", delay=PATIENCE, leave=False, disable=None
    )
