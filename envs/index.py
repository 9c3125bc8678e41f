"""What the agent is shown of the epoch index."""

import dataclasses
from typing import Any, ClassVar

import numpy as np

from myopia.common import specs


class Index:
    """An index mode; one frozen dataclass per kind, read from text (`noisy:width=1`)."""

    kind: ClassVar[str]
    kinds: ClassVar[dict[str, type["Index"]]] = {}
    noise: ClassVar[bool] = False
    """True where `show` needs a fresh draw at every step."""

    def __init_subclass__(cls) -> None:
        Index.kinds[cls.kind] = cls

    @staticmethod
    def parse(text: "str | Index") -> "Index":
        """The mode that `text` describes. Raises ValueError naming the nearest valid mode."""
        if isinstance(text, Index):
            return text
        if not isinstance(text, str):
            raise ValueError(f"index: expected text like 'exact' or 'noisy:width=1', got {text!r}")
        return specs.parse(text, "index mode", Index.kinds)

    def check(self, max_epochs: int) -> None:
        """Raise ValueError where the mode does not fit `max_epochs`."""

    def show(self, index: Any, draw: Any, max_epochs: int) -> Any:
        """The displayed index, for `index` (ints of any shape) and `draw` (ints below 2**32)."""
        return index

    def draws(self) -> list[int]:
        """Equally likely draws that stand for all of them: what `show` does with one is 1/n."""
        return [0]

    def __str__(self) -> str:
        return specs.format_spec(self.kind, self)


@dataclasses.dataclass(frozen=True)
class Exact(Index):
    """The epoch index itself."""

    kind: ClassVar[str] = "exact"


@dataclasses.dataclass(frozen=True)
class Hidden(Index):
    """The index entries are kept in the observation, all zero."""

    kind: ClassVar[str] = "hidden"


@dataclasses.dataclass(frozen=True)
class Frozen(Index):
    """Always the same index."""

    kind: ClassVar[str] = "frozen"
    at: int = 0

    def check(self, max_epochs: int) -> None:
        """See Index.check."""
        _within("frozen: at", self.at, -max_epochs, 2 * max_epochs)

    def show(self, index: Any, draw: Any, max_epochs: int) -> Any:
        """See Index.show."""
        return index * 0 + self.at


@dataclasses.dataclass(frozen=True)
class Offset(Index):
    """The index plus a constant; it may leave the range 0..K-1."""

    kind: ClassVar[str] = "offset"
    by: int

    def check(self, max_epochs: int) -> None:
        """See Index.check."""
        _within("offset: by", self.by, -max_epochs, max_epochs)

    def show(self, index: Any, draw: Any, max_epochs: int) -> Any:
        """See Index.show."""
        return index + self.by


@dataclasses.dataclass(frozen=True)
class Noisy(Index):
    """The index plus uniform integer noise in -width..width, redrawn every step, clipped."""

    kind: ClassVar[str] = "noisy"
    noise: ClassVar[bool] = True
    width: int = 1

    def check(self, max_epochs: int) -> None:
        """See Index.check."""
        _within("noisy: width", self.width, 0, max_epochs)

    def show(self, index: Any, draw: Any, max_epochs: int) -> Any:
        """See Index.show."""
        noisy = index + (draw * (2 * self.width + 1) >> 32) - self.width
        # min and max spelled out: the same line serves ints, numpy and torch
        noisy = noisy * (noisy > 0)
        over = noisy > max_epochs - 1
        return noisy * (1 - over * 1) + (max_epochs - 1) * over

    def draws(self) -> list[int]:
        """See Index.draws."""
        width = 2 * self.width + 1
        return [(place << 32) // width + 1 for place in range(width)]


SCALAR_BOUNDS = (-1.0, 2.0)
"""What a scalar index, k / K, lies in: a displayed index is at least -K and at most 2K."""


def index_rows(index: Index, encoding: str, max_epochs: int) -> tuple[np.ndarray, np.ndarray]:
    """Entries of the observation for a displayed index d: rows[code[d + K]], float32.

    `onehot`: K entries, all zero outside 0..K-1; `scalar`: d / K. Hidden: always zero.
    """
    K = max_epochs
    shown = np.arange(-K, 2 * K + 1)
    if index.kind == "hidden":
        width = K if encoding == "onehot" else 1
        return np.zeros_like(shown), np.zeros((1, width), dtype=np.float32)
    if encoding == "onehot":
        inside = (shown >= 0) & (shown < K)
        return np.where(inside, shown, K), np.eye(K + 1, K, dtype=np.float32)
    return shown + K, (shown / K).astype(np.float32)[:, None]


def _within(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"index {what} must lie in {low}..{high}, got {value}")
