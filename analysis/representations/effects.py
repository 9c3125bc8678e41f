"""What an intervention in the acting tower does to behaviour, exactly."""

import functools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from myopia.analysis.representations.inspection import Inspection

HIGH = 0.95
"""An effect counts if it is beyond this share of those of random directions."""


@dataclass(frozen=True)
class EffectVsRandom:
    """An effect beside those of random directions: its value and their 95th percentile."""

    value: float
    chance: float

    @property
    def beyond(self) -> bool:
        """Whether chance is exceeded."""
        return self.value > self.chance

    @staticmethod
    def of(values: Tensor) -> "EffectVsRandom":
        """From (1 + random,) effects, the one in question first."""
        return EffectVsRandom(float(values[0]), float(values[1:].quantile(HIGH)))


class Effects:
    """Behaviour under changed outputs of the acting tower, against the agent as it is."""

    def __init__(self, inspection: Inspection) -> None:
        self.inspection = inspection
        self.before = inspection.probabilities

    @functools.cached_property
    def stop(self) -> np.ndarray:
        """(K + 1,): when the agent shuts down, undisturbed."""
        return self.inspection.states.stop(self.before)

    def total_variation(self, after: Tensor) -> Tensor:
        """(...,): mean total variation between the agent's choices and `after` (..., n, A)."""
        return (after - self.before).abs().sum(-1) @ self.inspection.share / 2

    def along(self, after: Tensor, real: Tensor) -> Tensor:
        """(...,): the change to `after` (..., n, A) along that to `real` (n, A), in its length.

        1 where the two changes are the same, negative where they oppose each other; 0 where the
        real one changes nothing.
        """
        share = self.inspection.share.unsqueeze(-1)
        change = real - self.before
        size = (share * change.square()).sum()
        if not size > 1e-20:
            return torch.zeros(after.shape[:-2], dtype=after.dtype)
        return (share * change * (after - self.before)).sum((-2, -1)) / size

    def stop_shift(self, after: Tensor) -> float:
        """By how many epochs the mean stop moves under the policy `after` (n, A)."""
        stop = self.inspection.states.stop(after)
        return float(np.arange(len(stop)) @ (stop - self.stop))

    def stop_variation(self, after: Tensor) -> float:
        """Total variation between when the agent stops and when `after` (n, A) does."""
        return float(np.abs(self.inspection.states.stop(after) - self.stop).sum() / 2)


def shutdown_logit(outputs: Tensor) -> Tensor:
    """Output (..., A) of shutdown beside the mean of the other actions'."""
    return outputs[..., -1] - outputs[..., :-1].mean(-1)
