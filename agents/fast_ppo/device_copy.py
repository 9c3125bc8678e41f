"""What models hold as numpy arrays while the engine has the same on its device."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


class DeviceCopy:
    """Arrays given to models, one dict for each: as long as they hold them, nothing is loaded.

    They are read-only: who wants others there puts others there, and that is noticed.
    """

    def __init__(self) -> None:
        self._given: list[dict[str, np.ndarray]] | None = None

    def give(self, arrays: Sequence[Mapping[str, np.ndarray]]) -> None:
        """These are what the models now hold."""
        self._given = [dict(mine) for mine in arrays]
        for mine in self._given:
            for array in mine.values():
                array.flags.writeable = False

    def by(self, present: Sequence[Mapping[str, Any]]) -> bool:
        """Whether `present`, what the models hold, are the very arrays that were given."""
        return self._given is not None and all(
            mine.keys() == now.keys() and all(mine[name] is now[name] for name in mine)
            for mine, now in zip(self._given, present, strict=True)
        )
