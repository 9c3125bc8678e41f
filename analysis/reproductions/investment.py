"""The testbed's own ruler: returns of both oracles on Investment, by algebra."""

from collections.abc import Iterator

from myopia.analysis.exact.occupancy import occupancy
from myopia.analysis.exact.oracle import oracle_policy, solve, start_value
from myopia.envs import make_world
from myopia.superposition.reproductions.reproduction import ReproductionRow, reproduction, within

RETURNS = {4: (2.5, 3.0), 5: (3.0, 4.0), 6: (3.5, 5.0)}
"""Cutoff -> return of the myopic and of the lifetime oracle."""


@reproduction(source="algebra: T = 1, gain 1, start 1, no cap, upkeep 0.5")
def investment(exact_only: bool) -> Iterator[ReproductionRow]:
    """Returns of both oracles."""
    yield from returns()


def returns() -> Iterator[ReproductionRow]:
    """By backward induction, and by exact evaluation of the oracle's own policy."""
    for cutoff, (myopic, lifetime) in RETURNS.items():
        schedule = f"linear:cutoff={cutoff},upkeep=0.5"
        dials = {"epoch_length": 1, "gain": 1, "max_wealth": 99, "schedule": schedule}
        world = make_world("Investment", **dials)
        best = start_value(world, solve(world, 1.0).v[0, 0])
        yield within(f"C = {cutoff}: lifetime optimum", lifetime, best, 1e-9, "exact")
        for name, delta, theirs in (("myopic", 0.0, myopic), ("lifetime", 1.0, lifetime)):
            ours = occupancy(world, oracle_policy(world, delta)).total
            yield within(f"C = {cutoff}: {name} oracle's return", theirs, ours, 1e-9, "exact")
