"""Credit for a fixed number of steps."""

import dataclasses

from typing_extensions import override

from myopia.common import specs
from myopia.envs.backend import Array
from myopia.envs.credit.credit import Credit, credit_mode


@credit_mode
@dataclasses.dataclass(frozen=True)
class Window(Credit):
    """M rewards, from this step on, across boundaries; no bootstrap."""

    form = "window:M"
    steps: int

    @classmethod
    @override
    def read(cls, value: str) -> "Window":
        try:
            steps = specs.convert(value, int, "M")
        except ValueError:
            steps = 0
        if steps < 1:
            raise ValueError(f"credit 'window:{value}': expected window:M with M at least 1")
        return cls(steps)

    @property
    @override
    def delta(self) -> None:
        return None

    @property
    @override
    def flag(self) -> None:
        return None

    @property
    @override
    def pending(self) -> int:
        return self.steps - 1

    @override
    def passes(self, boundaries: Array) -> tuple[Array, Array]:
        return 1, 1

    @override
    def advantages(
        self,
        rewards: Array,
        values: Array,
        last_values: Array,
        ends: Array,
        boundaries: Array,
        gamma: float,
        gae_lambda: float,
    ) -> Array:
        rows = len(rewards) - self.pending
        total, alive = 0.0, 1.0
        for ahead in range(self.steps):
            window = slice(ahead, ahead + rows)
            total = total + alive * gamma**ahead * rewards[window]
            alive = alive * (1 - ends[window])
        return total - values[:rows]
