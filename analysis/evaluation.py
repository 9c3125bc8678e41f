"""One agent, judged: every registered measure, exact, in one object."""

import dataclasses
from typing import Any

import numpy as np

from myopia.analysis.registry import all_measures
from myopia.analysis.subject import Subject
from myopia.envs.world import World


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


def evaluate(world: World, policy: np.ndarray, name: str = "policy") -> Evaluation:
    """Judge `policy` (K, T, S, A) exactly: no sampling, no noise.

    Raises ValueError where `policy` holds no probabilities of that shape.
    """
    subject = Subject(world, policy)
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
