"""When an agent in training is evaluated."""

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class ComputeSpent:
    """Where a training stands: compute spent, and effective compute (`effective_compute.py`)."""

    spent: float
    effective: float


@dataclasses.dataclass(frozen=True)
class EvaluationSchedule:
    """After every growth of compute by the factor `growth`, and after `seconds` of training."""

    growth: float = 4.0
    seconds: float = 3600.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.growth) and self.growth > 1):
            raise ValueError(f"growth between evaluations must be above 1, got {self.growth:g}")
        if not self.seconds > 0:
            raise ValueError(f"seconds between evaluations must be above 0, got {self.seconds:g}")

    def due(
        self, last: ComputeSpent | None, now: ComputeSpent, following: float, seconds: float
    ) -> bool:
        """Whether to evaluate now, `seconds` of training after the evaluation at `last`.

        `following` is what will have been spent at the next occasion: where that is too late, now
        is the time, so gaps in what is spent never exceed `growth`. Spending counts beside
        effective compute because a baseline that it is read from has an end, and noise.
        """
        if last is None or seconds >= self.seconds:
            return True
        return following > self.growth * last.spent or now.effective >= self.growth * last.effective
