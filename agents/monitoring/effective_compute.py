"""Effective compute: what a training has spent, or what a baseline spends to come as far."""

import dataclasses
from collections.abc import Callable

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm

from myopia.agents.monitoring.learning_curve import LearningCurve

Compute = Callable[[BaseAlgorithm], float]
"""The effective compute of a model in training, in floating-point operations."""

TrainingScore = Callable[[BaseAlgorithm], float | None]
"""How far a model in training has come, or None where that is not known yet."""


def training_flops(model: BaseAlgorithm) -> float:
    """Environment steps times the network's cost of learning from one.

    That is 6 operations for each weight that is trained: 2 forward, 4 backward (Kaplan et al.
    2020, arXiv 2001.08361, section 2.1). How often a step is learned from is not counted.
    """
    groups = model.policy.optimizer.param_groups
    weights = sum(weight.numel() for group in groups for weight in group["params"])
    return 6.0 * weights * model.num_timesteps


def mean_return(model: BaseAlgorithm) -> float | None:
    """Mean reward of the latest lifetimes in training (SB3's `rollout/ep_rew_mean`)."""
    latest = [episode["r"] for episode in model.ep_info_buffer or ()]
    return float(np.mean(latest)) if latest else None


@dataclasses.dataclass(frozen=True)
class BaselineEquivalentCompute:
    """The compute at which a baseline's learning curve first was where the model is now.

    So a better algorithm, which comes as far on a quarter of the steps, counts four times what it
    spends. Beyond the end of `baseline` it stays there: what the baseline would have needed is
    not known. Before there is a score, it is what was spent.
    """

    baseline: LearningCurve
    score: TrainingScore = mean_return

    def __call__(self, model: BaseAlgorithm) -> float:
        """Effective compute, in the units of the baseline's."""
        score = self.score(model)
        if score is None:
            return training_flops(model)
        reached = self.baseline.compute_at(score)
        return float(self.baseline.points[-1]) if reached is None else reached
