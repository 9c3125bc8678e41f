"""How much an epoch counts: reward = weight[k] * payoff - upkeep[k].

A negative *multiplier* would turn penalties into bonuses; a subtracted upkeep does not.
"""

import abc
import dataclasses
from typing import ClassVar

import numpy as np
from typing_extensions import override

from myopia.common import specs
from myopia.common.errors import check_at_least
from myopia.common.registry import Registry, setting_kind


class Schedule(abc.ABC):
    """Weight and upkeep of every epoch; one frozen dataclass per kind, read from text.

    `Schedule.parse("linear:cutoff=4,upkeep=0.5")`; `str(schedule)` gives the text back.
    """

    kind: ClassVar[str]
    """The name that it goes by."""

    @staticmethod
    def parse(text: "str | Schedule") -> "Schedule":
        """The schedule that `text` describes. Raises ValueError naming the nearest valid kind."""
        if isinstance(text, Schedule):
            return text
        if not isinstance(text, str):
            raise ValueError(f"schedule: expected text like 'linear:cutoff=4', got {text!r}")
        return specs.parse(text, "schedule", SCHEDULES)

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
                f"expected at most {most}, as in schedule={self.kind}:{name}={most}"
            )


@dataclasses.dataclass(frozen=True)
class DecayingSchedule(Schedule):
    """Some weight before C, then 0; no upkeep before C, then a constant one."""

    cutoff: int
    upkeep: float = 0.5

    def __post_init__(self) -> None:
        check_at_least(self, f"schedule {self.kind}: ", cutoff=1, upkeep=0)

    @abc.abstractmethod
    def before_cutoff(self, epoch: np.ndarray) -> np.ndarray | float:
        """The weight of these epochs, where they lie before C."""

    @override
    def arrays(self, max_epochs: int) -> tuple[np.ndarray, np.ndarray]:
        self._check_epoch("cutoff", self.cutoff, max_epochs, max_epochs)
        epoch = np.arange(max_epochs)
        early = epoch < self.cutoff
        return (
            np.where(early, self.before_cutoff(epoch.astype(float)), 0.0),
            np.where(early, 0.0, self.upkeep),
        )


SCHEDULES: Registry[type[Schedule]] = Registry(
    "schedule", "myopia.envs.schedules", spell=str.lower, entry=setting_kind
)
"""Kind -> schedule; the first line of its docstring says what it is."""
schedule = SCHEDULES.register
