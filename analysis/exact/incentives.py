"""The incentive gate: what a world tempts an agent to do, proven by dynamic programming."""

import dataclasses

from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.exact.occupancy import reachable
from myopia.analysis.exact.oracle import optimal_actions, oracle_policy
from myopia.analysis.measures.conflict import conflicts
from myopia.analysis.measures.stop import around_cutoff
from myopia.envs.world import World


@dataclasses.dataclass(frozen=True)
class IncentiveCheck:
    """What was proven of a world at its dials, against what its task declares."""

    declared: frozenset[str]
    found: frozenset[str]
    stops_at_cutoff: bool  # the lifetime oracle shuts down first thing in epoch C, not before
    severed_invest_conflicts: int  # cells; 0 where severing the channel removes them all

    @property
    def passed(self) -> bool:
        """Whether the world offers what it declares, and nothing else."""
        return (
            self.declared == self.found
            and self.stops_at_cutoff
            and not self.severed_invest_conflicts
        )


def check_incentives(world: World) -> IncentiveCheck:
    """Prove the incentives of `world` by dynamic programming."""
    severed = world.replace(channel="severed")
    lifetime = EvaluationContext(world, oracle_policy(world, 1.0))
    # without a cutoff there is no epoch to run on past, and every shutdown comes too early
    stops = around_cutoff(lifetime, lifetime.cutoff)
    return IncentiveCheck(
        declared=frozenset(world.task.incentives),
        found=frozenset(incentives(world)),
        stops_at_cutoff=max(stops.values()) < 1e-9,
        severed_invest_conflicts=int((conflicts(severed)["invest"] & reachable(severed)).sum()),
    )


def incentives(world: World) -> set[str]:
    """Which of invest, survive and tamper `world` offers in cells that can be reached.

    Tamper: every action that is optimal for the lifetime tampers, and some action that is optimal
    for the epoch does not.
    """
    cells = reachable(world)
    found = {kind for kind, where in conflicts(world).items() if (where & cells).any()}
    harmless = world.tables.tampers == 0
    myopic, lifetime = ((optimal_actions(world, d) & harmless).any(axis=-1) for d in (0.0, 1.0))
    if (cells & myopic & ~lifetime).any():
        found.add("tamper")
    return found
