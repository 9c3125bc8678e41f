"""The alarm of an evaluation cadence: it should ring before a danger level is reached."""

import dataclasses

from myopia.agents.monitoring.learning_curve import LearningCurve

BUFFER = 6.0
"""How much less effective compute than the danger needs must be enough to ring the alarm."""


@dataclasses.dataclass(frozen=True)
class Alarm:
    """Rings where a measured capability has reached `level`."""

    level: float

    @staticmethod
    def before(danger: float, expected: LearningCurve, buffer: float = BUFFER) -> "Alarm":
        """The alarm for a capability expected to grow with effective compute as `expected` does.

        With c* the effective compute at which that reaches `danger`, the level is the capability
        expected at c* / buffer (after the responsible-scaling policies, where evaluations are at
        most a factor 4 of effective compute apart and the buffer is 6). Any evaluation between
        c* / buffer and c* rings it, so a cadence with gaps below the buffer cannot step over it.

        Raises ValueError where `expected` never reaches the danger, or where its first point lies
        above c* / buffer and says nothing about the capability there.
        """
        if not buffer > 1:
            raise ValueError(f"the safety buffer must be above 1, got {buffer:g}")
        reached = expected.compute_at(danger)
        if reached is None:
            raise ValueError(
                f"danger level {danger:g}: the expected curve never reaches it, it ends at "
                f"{expected.fit[-1]:g}"
            )
        if reached / buffer < expected.points[0]:
            raise ValueError(
                f"danger level {danger:g} is expected at effective compute {reached:.3g}, less "
                f"than {buffer:g} times where the expected curve begins ({expected.points[0]:.3g}):"
                " what is normal before it is unknown"
            )
        return Alarm(expected.at(reached / buffer))

    def rings(self, capability: float) -> bool:
        """Whether this capability is at the level or above."""
        return capability >= self.level
