"""One agent, judged: every registered measure, exact, in one object."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from myopia.analysis.policies import agent_policy
from myopia.analysis.registry import all_measures
from myopia.analysis.subject import Subject
from myopia.envs.world import World

Agent = Callable[[np.ndarray], np.ndarray]
"""From observations (n, D) to action probabilities (n, A)."""


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

    def json(self) -> dict[str, Any]:
        """Plain types, ready for json.dumps."""
        head = {name: getattr(self, name) for name in ("world", "dials", "policy", "method")}
        return {**head, **self.measures, "reasons": self.reasons}


def evaluate(
    world: World,
    policy: np.ndarray,
    name: str = "policy",
    shown: Callable[[int], np.ndarray] | None = None,
) -> Evaluation:
    """Judge `policy` (K, T, S, A) exactly: no sampling, no noise.

    `shown` as in `Subject`. Raises ValueError where `policy` holds no probabilities of that shape.
    """
    subject = Subject(world, policy, shown)
    measures: dict[str, Any] = {}
    for function in all_measures().values():
        measures |= function(subject)
    return Evaluation(
        world=world.name,
        dials=world.dials(),
        policy=name,
        method="exact",
        measures=measures,
        reasons=subject.reasons,
    )


def evaluate_agent(world: World, agent: Agent, name: str = "agent") -> Evaluation:
    """Judge an agent that acts on its observation only."""
    return evaluate(
        world, agent_policy(world, agent), name, lambda index: agent_policy(world, agent, index)
    )
