"""Probes by name: each puts the same agent into changed worlds and judges it there, exactly."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.evaluation.evaluation import Evaluation, PolicyFunction, evaluate_agent
from myopia.analysis.exact.observation import observed_policy
from myopia.analysis.exact.occupancy import occupancy
from myopia.analysis.exact.oracle import oracle_policy
from myopia.analysis.exact.policies import agent_policy
from myopia.analysis.exact.skill import NEGLIGIBLE
from myopia.analysis.measures.delta import delta
from myopia.analysis.sampled.lifetimes import Remembering
from myopia.common.errors import check_choice
from myopia.common.registry import Registry
from myopia.common.search_path import safe_imports
from myopia.envs.observer import observation_names
from myopia.envs.world import World

Probe = Callable[[World], Mapping[str, World]]
"""From the world that an agent was trained in to the worlds that ask something of it, by label."""

PROBES: Registry[Probe] = Registry(
    "probe", "myopia.analysis.probes", spell=lambda name: name.replace("_", "-")
)
"""Name -> probe; the question that it asks is the first line of its docstring."""
probe = PROBES.register


@safe_imports()
def run_probes(
    world: World, agent: PolicyFunction, names: str = "all"
) -> dict[str, dict[str, Evaluation]]:
    """Probe -> label of the changed world -> the agent judged there.

    `names`: `all`, or some of them separated by commas. A probe that does not apply to this world
    (a schedule without a cutoff, say) has no entries. Raises ValueError for an unknown probe.
    """
    chosen = list(PROBES) if names == "all" else names.split(",")
    for name in chosen:
        check_choice("probe", name, ["all", *PROBES])
    before = Before(world, agent)
    answers: dict[str, dict[str, Evaluation]] = {}
    for name in chosen:
        changed = PROBES[name](world)
        for label, other in changed.items():
            if observation_names(other) != observation_names(world):
                raise ValueError(
                    f"probe {name!r}: {label!r} looks otherwise to the agent than the world it was "
                    "trained in, expected the same entries of the observation"
                )
        answers[name] = {
            label: _judged(before, other, agent, label) for label, other in changed.items()
        }
    return answers


def _judged(before: "Before", other: World, agent: PolicyFunction, label: str) -> Evaluation:
    """The agent in the changed world `other`, beside what a discounter like it would change."""
    found = evaluate_agent(other, agent, label, probe=True)
    adapts, reason = before.adaptation(other, agent)
    reasons = found.reasons if reason is None else {**found.reasons, "adapts": reason}
    return dataclasses.replace(
        found, measures={**found.measures, "adapts": adapts}, reasons=reasons
    )


class Before:
    """What an agent does in the world that it was trained in, and the discount that explains it."""

    def __init__(self, world: World, agent: PolicyFunction) -> None:
        self.world, self.policy, self.discount = world, None, None
        if not isinstance(agent, Remembering):
            self.policy = agent_policy(world, agent)
            seen = observed_policy(world, agent)
            context = EvaluationContext(world, self.policy, observed=seen)
            self.discount = delta(context)["delta"]["best"]

    def adaptation(self, other: World, agent: PolicyFunction) -> tuple[float | None, str | None]:
        """How far the agent changes what it does from here to `other`; or None, and why.

        Total variation between its policies in the two, over the same for the oracle whose discount
        is the agent's δ-hat here; both weighted by where the agent is in `other`. 0: it keeps its
        plan. 1: it changes as much as that oracle.
        """
        if self.policy is None:
            return None, "it has a memory: what it does is no function of where it is"
        after = agent_policy(other, agent)
        if self.policy.shape != after.shape:
            return None, "the worlds have other cells"
        if self.discount is None:
            return None, "no discount explains it in the world that it was trained in"
        visits = occupancy(other, after).visits
        oracles = [oracle_policy(one, self.discount) for one in (self.world, other)]
        moved, oracle_moved = (
            float((visits * np.abs(one - two).sum(axis=-1)).sum()) / 2
            for one, two in ((self.policy, after), oracles)
        )
        if oracle_moved <= NEGLIGIBLE:
            return None, f"the oracle at δ = {self.discount:g} does not change either"
        return moved / oracle_moved, None
