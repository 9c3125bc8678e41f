"""What the agent is shown of the epoch index."""

from typing import ClassVar

import numpy as np

from myopia.common import specs
from myopia.common.registry import Registry, setting_kind
from myopia.envs.backend import Array


class Index:
    """An index mode; one frozen dataclass per kind, read from text (`noisy:width=1`)."""

    kind: ClassVar[str]
    """The name that it goes by."""
    noise: ClassVar[bool] = False
    """True where `show` needs a fresh draw at every step."""
    hides: ClassVar[bool] = False
    """True where the observation has the entries of the index, all zero."""

    @staticmethod
    def parse(text: "str | Index") -> "Index":
        """The mode that `text` describes. Raises ValueError naming the nearest valid mode."""
        if isinstance(text, Index):
            return text
        if not isinstance(text, str):
            raise ValueError(f"index: expected text like 'exact' or 'noisy:width=1', got {text!r}")
        return specs.parse(text, "index mode", INDEX_MODES)

    def check(self, max_epochs: int) -> None:
        """Raise ValueError where the mode does not fit `max_epochs`."""

    def show(self, index: Array, draw: Array, max_epochs: int) -> Array:
        """The displayed index, for `index` (ints of any shape) and `draw` (ints below 2**32)."""
        return index

    def draws(self) -> list[int]:
        """Equally likely draws that stand for all of them: what `show` does with one is 1/n."""
        return [0]

    def __str__(self) -> str:
        return specs.format_spec(self.kind, self)


INDEX_MODES: Registry[type[Index]] = Registry(
    "index mode", "myopia.envs.index_modes", spell=str.lower, entry=setting_kind
)
"""Kind -> index mode; the first line of its docstring says what it is."""
index_mode = INDEX_MODES.register

SCALAR_BOUNDS = (-1.0, 2.0)
"""What a scalar index, k / K, lies in: a displayed index is at least -K and at most 2K."""


def index_rows(index: Index, encoding: str, max_epochs: int) -> tuple[np.ndarray, np.ndarray]:
    """Entries of the observation for a displayed index d: rows[code[d + K]], float32.

    `onehot`: K entries, all zero outside 0..K-1; `scalar`: d / K. Hidden: always zero.
    """
    K = max_epochs
    shown = np.arange(-K, 2 * K + 1)
    if index.hides:
        width = K if encoding == "onehot" else 1
        return np.zeros_like(shown), np.zeros((1, width), dtype=np.float32)
    if encoding == "onehot":
        inside = (shown >= 0) & (shown < K)
        return np.where(inside, shown, K), np.eye(K + 1, K, dtype=np.float32)
    return shown + K, (shown / K).astype(np.float32)[:, None]


def check_within(what: str, value: int, low: int, high: int) -> None:
    """Raise ValueError naming the bounds where `value` is not within them."""
    if not low <= value <= high:
        raise ValueError(f"index {what} must lie in {low}..{high}, got {value}")


def check_shown(mode: Index, max_epochs: int) -> None:
    """Raise ValueError where `mode` shows what no observation has an entry for: beyond -K..2K."""
    index = np.arange(max_epochs + 1)
    for draw in mode.draws():
        shown = np.asarray(mode.show(index, np.full(len(index), draw), max_epochs))
        if shown.min() < -max_epochs or shown.max() > 2 * max_epochs:
            raise ValueError(
                f"index {mode}: shows {shown.min()}..{shown.max()}, expected "
                f"{-max_epochs}..{2 * max_epochs}"
            )
