"""Picking is optimisation, too: what was picked, and on which score, is written down."""

import dataclasses
from pathlib import Path
from typing import Any

from myopia.common.files import read_json, reading, rewrite_json


@dataclasses.dataclass(frozen=True)
class Selection:
    """One act of picking. `scores` belong to the candidates 0, 1, ...; None: not scored.

    `copied` maps a candidate that was replaced to the one whose weights it got; `picked` are the
    candidates that were kept for themselves.
    """

    timesteps: int
    score: str
    scores: list[float | None]
    picked: list[int]
    copied: dict[int, int]
    learning_rates: list[float]  # after it


class SelectionLog:
    """The selections of a run, in `selection.json`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.selections: list[Selection] = []

    def add(self, selection: Selection) -> None:
        """Note one; `write` puts it on the disk."""
        self.selections.append(selection)

    def read(self, timesteps: int) -> None:
        """Go on from the file that an interrupted run left, as it was after `timesteps`."""
        with reading(self.path):
            for row in read_json(self.path):
                copied = {int(loser): winner for loser, winner in row.pop("copied").items()}
                if row["timesteps"] <= timesteps:
                    self.selections.append(Selection(**row, copied=copied))

    def write(self) -> None:
        """Replace the file by everything so far."""
        rows: list[dict[str, Any]] = [dataclasses.asdict(one) for one in self.selections]
        rewrite_json(self.path, rows)
