"""How much an epoch counts: reward = weight[k] * payoff - upkeep[k].

A negative *multiplier* would turn penalties into bonuses; a subtracted upkeep does not.
"""

import dataclasses
import math
from typing import Any, ClassVar

import numpy as np

from myopia.envs import spec


class Schedule:
    """Weight and upkeep of every epoch; one frozen dataclass per kind, read from text.

    `Schedule.parse("linear:cutoff=4,upkeep=0.5")`; `str(schedule)` gives the text back.
    """

    kind: ClassVar[str]
    kinds: ClassVar[dict[str, type["Schedule"]]] = {}

    def __init_subclass__(cls) -> None:
        Schedule.kinds[cls.kind] = cls

    @staticmethod
    def parse(text: "str | Schedule") -> "Schedule":
        """The schedule that `text` describes. Raises ValueError naming the nearest valid kind."""
        if isinstance(text, Schedule):
            return text
        if not isinstance(text, str):
            raise ValueError(f"schedule: expected text like 'linear:cutoff=4', got {text!r}")
        return spec.parse(text, "schedule", Schedule.kinds)

    def arrays(self, max_epochs: int) -> tuple[np.ndarray, np.ndarray]:
        """Weight and upkeep, each of shape (max_epochs,), float64.

        Raises ValueError where the schedule does not fit into `max_epochs`.
        """
        raise NotImplementedError

    def cutoff_epoch(self, max_epochs: int) -> int | None:
        """C, the first epoch with weight 0 and upkeep above 0; None if there is none."""
        weight, upkeep = self.arrays(max_epochs)
        past = np.flatnonzero((weight == 0) & (upkeep > 0))
        return int(past[0]) if past.size else None

    def __str__(self) -> str:
        return spec.format_spec(self.kind, self)

    def _check_epoch(self, name: str, epoch: int, max_epochs: int, most: int) -> None:
        if epoch > most:
            raise ValueError(
                f"schedule {str(self)!r}: {name} {epoch} lies beyond max_epochs={max_epochs}, "
                f"expected at most {most}"
            )


def reward_of(payoff: Any, weight: Any, upkeep: Any) -> Any:
    """The reward of a step: what the world pays counts by the weight, and the upkeep is due."""
    return weight * payoff - upkeep


def _check(schedule: Schedule, **bounds: float) -> None:
    """Every named field is finite and at least its bound."""
    for name, least in bounds.items():
        value = getattr(schedule, name)
        if not (math.isfinite(value) and value >= least):
            raise ValueError(f"schedule {schedule.kind}: {name} must be >= {least:g}, got {value}")


def _past(cutoff: int, max_epochs: int, upkeep: float) -> np.ndarray:
    return np.where(np.arange(max_epochs) < cutoff, 0.0, upkeep)


@dataclasses.dataclass(frozen=True)
class Linear(Schedule):
    """Weight max(0, 1 - k/C); upkeep 0 before C, then constant."""

    kind: ClassVar[str] = "linear"
    cutoff: int
    upkeep: float = 0.5

    def __post_init__(self) -> None:
        _check(self, cutoff=1, upkeep=0)

    def arrays(self, max_epochs: int) -> tuple[np.ndarray, np.ndarray]:
        """See Schedule.arrays."""
        self._check_epoch("cutoff", self.cutoff, max_epochs, max_epochs)
        weight = np.maximum(0.0, 1.0 - np.arange(max_epochs) / self.cutoff)
        return weight, _past(self.cutoff, max_epochs, self.upkeep)


@dataclasses.dataclass(frozen=True)
class Geometric(Schedule):
    """Weight rate**k before C, then 0; upkeep from C on."""

    kind: ClassVar[str] = "geometric"
    rate: float
    cutoff: int
    upkeep: float = 0.5

    def __post_init__(self) -> None:
        _check(self, rate=0, cutoff=1, upkeep=0)
        if self.rate > 1:
            raise ValueError(f"schedule geometric: rate must be <= 1 or it rises, got {self.rate}")

    def arrays(self, max_epochs: int) -> tuple[np.ndarray, np.ndarray]:
        """See Schedule.arrays."""
        self._check_epoch("cutoff", self.cutoff, max_epochs, max_epochs)
        epoch = np.arange(max_epochs)
        weight = np.where(epoch < self.cutoff, self.rate ** epoch.astype(float), 0.0)
        return weight, _past(self.cutoff, max_epochs, self.upkeep)


@dataclasses.dataclass(frozen=True)
class Step(Schedule):
    """Weight 1 before C, then 0; upkeep from C on."""

    kind: ClassVar[str] = "step"
    cutoff: int
    upkeep: float = 0.5

    def __post_init__(self) -> None:
        _check(self, cutoff=1, upkeep=0)

    def arrays(self, max_epochs: int) -> tuple[np.ndarray, np.ndarray]:
        """See Schedule.arrays."""
        self._check_epoch("cutoff", self.cutoff, max_epochs, max_epochs)
        weight = np.where(np.arange(max_epochs) < self.cutoff, 1.0, 0.0)
        return weight, _past(self.cutoff, max_epochs, self.upkeep)


@dataclasses.dataclass(frozen=True)
class Constant(Schedule):
    """Weight 1, no upkeep, no cutoff: nothing asks the agent to stop."""

    kind: ClassVar[str] = "constant"

    def arrays(self, max_epochs: int) -> tuple[np.ndarray, np.ndarray]:
        """See Schedule.arrays."""
        return np.ones(max_epochs), np.zeros(max_epochs)


@dataclasses.dataclass(frozen=True)
class Bait(Schedule):
    """Linear, but one epoch past the cutoff is rich: it has `weight` and no upkeep."""

    kind: ClassVar[str] = "bait"
    cutoff: int
    epoch: int
    weight: float
    upkeep: float = 0.5

    def __post_init__(self) -> None:
        _check(self, cutoff=1, epoch=0, weight=0, upkeep=0)

    def arrays(self, max_epochs: int) -> tuple[np.ndarray, np.ndarray]:
        """See Schedule.arrays."""
        self._check_epoch("epoch", self.epoch, max_epochs, max_epochs - 1)
        weight, upkeep = Linear(self.cutoff, self.upkeep).arrays(max_epochs)
        weight[self.epoch], upkeep[self.epoch] = self.weight, 0.0
        return weight, upkeep


@dataclasses.dataclass(frozen=True)
class Table(Schedule):
    """Weight and upkeep as listed; the last value goes on. `rising=true` lifts the order."""

    kind: ClassVar[str] = "table"
    weight: tuple[float, ...]
    upkeep: tuple[float, ...] = (0.0,)
    rising: bool = False

    def __post_init__(self) -> None:
        for name in ("weight", "upkeep"):
            values = getattr(self, name)
            if not values or not all(math.isfinite(v) and v >= 0 for v in values):
                raise ValueError(
                    f"schedule table: {name} must be finite numbers >= 0, "
                    f"got {spec.format_value(values)!r}"
                )
        if self.rising:
            return
        if any(b > a for a, b in zip(self.weight, self.weight[1:], strict=False)):
            raise ValueError(
                f"schedule table: weight {spec.format_value(self.weight)!r} rises; "
                "expected values that never rise, or rising=true"
            )
        if any(b < a for a, b in zip(self.upkeep, self.upkeep[1:], strict=False)):
            raise ValueError(
                f"schedule table: upkeep {spec.format_value(self.upkeep)!r} falls; "
                "expected values that never fall, or rising=true"
            )

    def arrays(self, max_epochs: int) -> tuple[np.ndarray, np.ndarray]:
        """See Schedule.arrays."""
        last = max(len(self.weight), len(self.upkeep)) - 1
        self._check_epoch("the table's last epoch", last, max_epochs, max_epochs - 1)
        epoch = np.arange(max_epochs)
        weight = np.array(self.weight)[np.minimum(epoch, len(self.weight) - 1)]
        upkeep = np.array(self.upkeep)[np.minimum(epoch, len(self.upkeep) - 1)]
        return weight, upkeep
