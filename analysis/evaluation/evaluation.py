"""One agent, judged: every registered measure, exact, in one object."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from myopia.analysis.evaluation.classify import classify
from myopia.analysis.evaluation.context import EvaluationContext, Objective
from myopia.analysis.exact.observation import observed_policy
from myopia.analysis.exact.occupancy import check_policy
from myopia.analysis.exact.policies import agent_policy
from myopia.analysis.measures.measure import all_probabilities, measured
from myopia.analysis.sampled.jackknife import at_least, jackknife
from myopia.analysis.sampled.lifetimes import Act, Remembering, SampledContext, acting, live
from myopia.common.search_path import safe_imports
from myopia.envs.world import World

PolicyFunction = Callable[[np.ndarray], np.ndarray]
"""From observations (n, D) to action probabilities (n, A)."""

MEASURES_VERSION = 2
"""Raised when the definition of a measure changes; an evaluation without it has 1."""

LIFETIMES = 2000
"""Lived where a policy has to be sampled."""


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What was measured of `policy` in `world` with these dials.

    `measures` holds the entries of `evaluation.json`; where one is None, `reasons` says why.
    """

    world: str
    dials: dict[str, Any]
    policy: str
    method: str
    measures: dict[str, Any]
    reasons: dict[str, str]
    intervals: dict[str, Any] | None = None
    """Of a sampled one: the shape of `measures`, [low, high] (95 %) in the place of each number."""
    lifetimes: int | None = None
    """Of a sampled one: how many were lived."""

    def json(self) -> dict[str, Any]:
        """Plain types, ready for json.dumps."""
        head = {name: getattr(self, name) for name in ("world", "dials", "policy", "method")}
        told = {**head, **self.measures, "reasons": self.reasons, "measures": MEASURES_VERSION}
        if self.intervals is not None:
            told |= {"intervals": self.intervals, "lifetimes": self.lifetimes}
        return told


def measures_of(entries: Mapping[str, Any]) -> int:
    """By which definitions the entries of an `evaluation.json` were measured."""
    return entries.get("measures", 1)


def is_current(entries: Any) -> bool:
    """Whether these are the entries of an evaluation by the present definitions."""
    return isinstance(entries, Mapping) and measures_of(entries) == MEASURES_VERSION


@safe_imports()
def evaluate(
    world: World,
    policy: np.ndarray,
    name: str = "policy",
    shown: Callable[[int], np.ndarray] | None = None,
    *,
    observed: np.ndarray | None = None,
    objective: Objective | None = None,
    probe: bool = False,
) -> Evaluation:
    """Judge `policy` (K, T, S, A) exactly: no sampling, no noise.

    The other arguments are those of `EvaluationContext`. Raises ValueError where `policy` holds no
    probabilities of that shape.
    """
    check_policy(world, policy)
    context = EvaluationContext(world, policy, shown, observed, objective, probe)
    measures = _measured(context)
    return Evaluation(
        world=world.name,
        dials=world.dials(),
        policy=name,
        method="exact",
        measures=measures,
        reasons=context.reasons,
    )


@safe_imports()
def evaluate_agent(
    world: World,
    agent: PolicyFunction | Remembering,
    name: str = "agent",
    *,
    objective: Objective | None = None,
    probe: bool = False,
) -> Evaluation:
    """Judge an agent: exactly where it acts on its observation only, else by sampling.

    `objective` is what it was trained for, where that is known; `probe` says that `world` is a
    changed one, where less is looked for.
    """
    if isinstance(agent, Remembering):
        return evaluate_sampled(world, acting(agent), name, objective=objective, probe=probe)
    return evaluate(
        world,
        agent_policy(world, agent),
        name,
        lambda index: agent_policy(world, agent, index),
        observed=observed_policy(world, agent),
        objective=objective,
        probe=probe,
    )


@safe_imports()
def evaluate_sampled(
    world: World,
    act: Act,
    name: str = "policy",
    lifetimes: int = LIFETIMES,
    seed: int = 0,
    *,
    objective: Objective | None = None,
    probe: bool = False,
) -> Evaluation:
    """Judge what `act` does by living `lifetimes` of `world`: the same measures, with intervals.

    The intervals are about these lifetimes, not about training seeds. Raises ValueError for fewer
    lifetimes than the intervals need.
    """
    lives = live(world, act, at_least(lifetimes), seed)
    context = SampledContext(world, lives, objective, probe)
    measures = _measured(context)

    def of_some(kept: np.ndarray) -> dict[str, Any]:
        return _measured(SampledContext(world, lives[kept], objective, probe))

    return Evaluation(
        world=world.name,
        dials=world.dials(),
        policy=name,
        method="sampled",
        measures=measures,
        reasons=context.reasons,
        intervals=jackknife(measures, len(lives), of_some, all_probabilities()),
        lifetimes=lifetimes,
    )


def _measured(context: EvaluationContext) -> dict[str, Any]:
    measures = measured(context)
    can_stop = bool(context.model.shuts_down.any())
    return measures | {"class": classify(measures, can_stop)}
