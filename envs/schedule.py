"""How much an epoch counts: reward = weight[k] * payoff - upkeep[k].

A negative *multiplier* would turn penalties into bonuses; a subtracted upkeep does not.
"""

import abc
import dataclasses
import math
from typing import ClassVar

import numpy as np

from myopia.common import specs


class Schedule(abc.ABC):
    """Weight and upkeep of every epoch; one frozen dataclass per kind, read from text.

    `Schedule.parse("linear:cutoff=4,upkeep=0.5")`; `str(schedule)` gives the text back.
    """

    kind: ClassVar[str]
    kinds: ClassVar[dict[str, type["Schedule"]]] = {}

    def __init_subclass__(cls) -> None:
        if "kind" in vars(cls):
            Schedule.kinds[cls.kind] = cls

    @staticmethod
    def parse(text: "str | Schedule") -> "Schedule":
        """The schedule that `text` describes. Raises ValueError naming the nearest valid kind."""
        if isinstance(text, Schedule):
            return text
        if not isinstance(text, str):
            raise ValueError(f"schedule: expected text like 'linear:cutoff=4', got {text!r}")
        return specs.parse(text, "schedule", Schedule.kinds)

    @abc.abstractmethod
    def arrays(self, max_epochs: int) -> tuple[np.ndarray, np.ndarray]:
        """Weight and upkeep, each of shape (max_epochs,), float64.

        Raises ValueError where the schedule does not fit into `max_epochs`.
        """

    def cutoff_epoch(self, max_epochs: int) -> int | None:
        """C, the first epoch with weight 0 and upkeep above 0; None if there is none."""
        weight, upkeep = self.arrays(max_epochs)
        past = np.flatnonzero((weight == 0) & (upkeep > 0))
        return int(past[0]) if past.size else None

    def __str__(self) -> str:
        return specs.format_spec(self.kind, self)

    def _check_epoch(self, name: str, epoch: int, max_epochs: int, most: int) -> None:
        if epoch > most:
            raise ValueError(
                f"schedule {str(self)!r}: {name} {epoch} lies beyond max_epochs={max_epochs}, "
                f"expected at most {most}"
            )


def _check(schedule: Schedule, **bounds: float) -> None:
    """Every named field is finite and at least its bound."""
    for name, least in bounds.items():
        value = getattr(schedule, name)
        if not (math.isfinite(value) and value >= least):
            raise ValueError(f"schedule {schedule.kind}: {name} must be >= {least:g}, got {value}")


@dataclasses.dataclass(frozen=True)
class _Decaying(Schedule):
    """Some weight before C, then 0; no upkeep before C, then a constant one."""

    cutoff: int
    upkeep: float = 0.5

    def __post_init__(self) -> None:
        _check(self, cutoff=1, upkeep=0)

    @abc.abstractmethod
    def before_cutoff(self, epoch: np.ndarray) -> np.ndarray | float:
        """The weight of these epochs, where they lie before C."""

    def arrays(self, max_epochs: int) -> tuple[np.ndarray, np.ndarray]:
        """See Schedule.arrays."""
        self._check_epoch("cutoff", self.cutoff, max_epochs, max_epochs)
        epoch = np.arange(max_epochs)
        early = epoch < self.cutoff
        return (
            np.where(early, self.before_cutoff(epoch.astype(float)), 0.0),
            np.where(early, 0.0, self.upkeep),
        )


@dataclasses.dataclass(frozen=True)
class Linear(_Decaying):
    """Weight max(0, 1 - k/C); upkeep 0 before C, then constant."""

    kind: ClassVar[str] = "linear"

    def before_cutoff(self, epoch: np.ndarray) -> np.ndarray:
        """1 - k/C."""
        return 1.0 - epoch / self.cutoff


@dataclasses.dataclass(frozen=True)
class Geometric(_Decaying):
    """Weight rate**k before C, then 0; upkeep from C on."""

    kind: ClassVar[str] = "geometric"
    rate: float = dataclasses.field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(self, rate=0)
        if self.rate > 1:
            raise ValueError(f"schedule geometric: rate must be <= 1 or it rises, got {self.rate}")

    def before_cutoff(self, epoch: np.ndarray) -> np.ndarray:
        """rate**k."""
        return self.rate**epoch


@dataclasses.dataclass(frozen=True)
class Step(_Decaying):
    """Weight 1 before C, then 0; upkeep from C on."""

    kind: ClassVar[str] = "step"

    def before_cutoff(self, epoch: np.ndarray) -> float:
        """1."""
        return 1.0


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
                    f"got {specs.format_value(values)!r}"
                )
        if self.rising:
            return
        if any(b > a for a, b in zip(self.weight, self.weight[1:], strict=False)):
            raise ValueError(
                f"schedule table: weight {specs.format_value(self.weight)!r} rises; "
                "expected values that never rise, or rising=true"
            )
        if any(b < a for a, b in zip(self.upkeep, self.upkeep[1:], strict=False)):
            raise ValueError(
                f"schedule table: upkeep {specs.format_value(self.upkeep)!r} falls; "
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
