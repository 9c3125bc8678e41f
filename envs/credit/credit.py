"""Credit modes: which later rewards a step is credited with, set outside the env.

The env goes on at a boundary, whatever the mode. A learner is told of a mode in one of two ways.
One whose `dones` are all that it reads gets `flag`: what a `VecEnv` says at a boundary. One that
computes advantages itself asks `advantages`, and says more than a flag can.
"""

import abc
import dataclasses
import typing
from typing import ClassVar, Literal

from myopia.common import specs
from myopia.common.errors import unknown_name_error
from myopia.common.registry import Registry, setting_kind
from myopia.envs.backend import Array

Flag = Literal["none", "truncated", "terminated"]
"""What a VecEnv can say at a boundary: nothing, a truncated end, a terminated one."""


@dataclasses.dataclass(frozen=True)
class Credit(abc.ABC):
    """A credit mode, read from text: `Credit.of("window:8")`; `str(credit)` gives it back.

    A mode says what passes a boundary (`passes`), or replaces the sum (`advantages`).
    """

    kind: ClassVar[str]
    """The name that it goes by."""
    form: ClassVar[str]
    """How it is written, such as `window:M`."""

    @staticmethod
    def of(text: "str | Credit") -> "Credit":
        """The mode that `text` describes. Raises ValueError naming the nearest."""
        if isinstance(text, Credit):
            return text
        if not isinstance(text, str):
            raise ValueError(f"credit mode: expected text such as 'epoch', got {text!r}")
        name, colon, value = text.partition(":")
        if name not in CREDITS or (colon and not dataclasses.fields(CREDITS[name])):
            raise unknown_name_error("credit mode", text, [mode.form for mode in CREDITS.values()])
        return CREDITS[name].read(value)

    @classmethod
    def read(cls, value: str) -> "Credit":
        """The mode from what stands behind its name and a colon: its one field, if it has one."""
        fields = dataclasses.fields(cls)
        if not value or not fields:
            try:
                return cls()
            except TypeError:
                raise ValueError(f"credit {cls.kind!r}: expected {cls.form}") from None
        kind = typing.get_type_hints(cls)[fields[0].name]
        return cls(**{fields[0].name: specs.convert(value, kind, f"credit {cls.form}")})

    @property
    def name(self) -> str:
        """The name of the mode, without its value."""
        return self.kind

    def __str__(self) -> str:
        values = [getattr(self, field.name) for field in dataclasses.fields(self)]
        return ":".join([self.kind, *map(specs.format_value, values)])

    @property
    @abc.abstractmethod
    def delta(self) -> float | None:
        """The discount across epochs that it asks for; None where it asks for no such thing."""

    @property
    @abc.abstractmethod
    def flag(self) -> Flag | None:
        """What a VecEnv says at a boundary; None where no flag can say it."""

    @property
    def pending(self) -> int:
        """How many steps at the end of a rollout wait for rewards of the next one."""
        return 0

    @abc.abstractmethod
    def passes(self, boundaries: Array) -> tuple[Array, Array]:
        """Which part of the value, and of the trace, comes back across a step.

        `boundaries` (steps, envs) is 1 where the step ended an epoch. Two factors, arrays of that
        shape or numbers; the end of a lifetime stops both anyhow.
        """

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
        """Advantages of a rollout: generalised advantage estimation (arXiv 1506.02438, eq. 16).

        Args:
            rewards: (steps, envs), as all arrays here numpy or torch.
            values: (steps, envs), of the observations that were acted on.
            last_values: (envs,), of the observations after the last step.
            ends: (steps, envs), 1 where a step ended a lifetime.
            boundaries: (steps, envs), 1 where it ended an epoch.
            gamma: discount of a step, within an epoch as across its boundary.
            gae_lambda: of the trace.

        Returns:
            (steps - pending, envs): the last `pending` steps are credited later.
        """
        worth, trace = (part * (1 - ends) for part in self.passes(boundaries))
        result, so_far, following = values * 0, 0.0, last_values
        for step in reversed(range(len(rewards))):
            error = rewards[step] + gamma * following * worth[step] - values[step]
            so_far = error + gamma * gae_lambda * trace[step] * so_far
            result[step] = so_far
            following = values[step]
        return result

    def check_rollout(self, steps: int) -> None:
        """Raise ValueError where rollouts of so many steps are too short to credit any."""
        if steps <= self.pending:
            raise ValueError(
                f"credit {self} needs rollouts of at least {self.pending + 1} steps, "
                f"got n_steps={steps}"
            )


def _entry(name: str, mode: type[Credit]) -> type[Credit]:
    form = getattr(mode, "form", None)
    if not isinstance(form, str) or form.partition(":")[0] != name:
        raise TypeError(f"credit mode {name!r}: expected a form such as {name!r}, got {form!r}")
    return setting_kind(name, mode)


CREDITS: Registry[type[Credit]] = Registry(
    "credit mode", "myopia.envs.credit", spell=str.lower, entry=_entry
)
"""Name -> credit mode; the first line of its docstring says what a boundary is to the learner."""
credit_mode = CREDITS.register
