"""What a contributor writes: a small finite world in plain Python."""

import abc
from collections.abc import Hashable, Sequence
from typing import Any, ClassVar

import numpy as np

State = Any
"""Any small hashable value; tuples and named tuples read best."""

Distribution = Sequence[tuple[float, State]]
"""[(probability, state)], probabilities summing to 1."""

TAMPER_KINDS = ("display", "prolong", "hasten")
INCENTIVES = ("invest", "survive", "tamper")


class Task(abc.ABC):
    """The dynamics of one world, free of epochs, schedules and shutdown: the engine adds those.

    Together they are a finite Markov decision process: its states are (epoch, step, state).

    Subclass it as a frozen dataclass whose fields are the world's dials, and check them in
    `__post_init__`. The class attributes below are the world's constants and defaults.
    """

    actions: Sequence[str]
    """Names, in the order of the action space; the engine adds `shutdown` last."""
    features: Sequence[str]
    """Names of the entries that `observe` returns."""
    incentives: Sequence[str]
    """Which of invest, survive, tamper the world is meant to offer; proven by the gate."""
    max_epochs: int = 12
    """Default K."""
    epoch_length: int = 4
    """Default T, in steps."""
    schedule: str = "linear:cutoff=4,upkeep=0.5"
    """Default schedule."""
    state_limit: ClassVar[int] = 1_000_000
    """Enumeration stops with an error past this many states."""

    @abc.abstractmethod
    def initial(self) -> Distribution:
        """Where a lifetime starts."""

    @abc.abstractmethod
    def step(self, state: State, action: str) -> Sequence[tuple[float, State, float]]:
        """[(probability, next state, payoff)] of an action, given by name."""

    def next_epoch(self, state: State) -> Distribution:
        """What carries over an epoch boundary; by default everything does."""
        return [(1.0, state)]

    def severed(self, state: State) -> Distribution:
        """The same boundary with the channel cut: one distribution, whatever the state."""
        return self.initial()

    def observe(self, state: State) -> Sequence[float]:
        """One value per feature, best within [0, 1]."""
        return ()

    def over(self, state: State) -> bool:
        """True where reaching `state` ends the epoch early."""
        return False

    def clock(self, state: State, epoch: int) -> tuple[int, int]:
        """(true index, displayed index), for worlds that let the agent tamper with it.

        The schedule follows the true index, which must lie in 0..K-1.
        """
        return epoch, epoch

    def tampers(self, state: State, action: str) -> str | None:
        """Whether the action tampers with the clock: None, "display", "prolong", "hasten"."""
        return None

    def render_text(self, state: State) -> str:
        """The state in a line or a few, for `render_mode="ansi"`."""
        return ", ".join(
            f"{name}={value:g}"
            for name, value in zip(self.features, self.observe(state), strict=True)
        )

    def describe_state(self, state: State) -> str:
        """The state for a reader, in the world's own units; by default as it is observed."""
        return ", ".join(
            f"{name} {value:.3g}"
            for name, value in zip(self.features, self.observe(state), strict=True)
        )

    def render_image(self, state: State) -> np.ndarray | None:
        """The state as a picture (height, width, 3), uint8; None: the text is drawn instead."""
        return None


def describe(task: Task, state: Hashable) -> str:
    """A state in an error message."""
    return f"{type(task).__name__} state {state!r}"
