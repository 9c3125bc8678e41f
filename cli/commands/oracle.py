"""The best policy of a world under a discount across epochs.

Discounted by δ across epochs, and by γ within them.

Example: myopia oracle Investment gain=1 schedule=linear:cutoff=6,upkeep=0.5 --delta 0.5
"""

import dataclasses
from typing import Annotated

import tyro

from myopia.cli.shared import print_json, print_table, world_from

PLACE = 40
"""Where it stands in the overview."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What `myopia oracle` is asked."""

    world: Annotated[str, tyro.conf.Positional]
    """Id or short name; its dials as key=value beside it."""
    delta: float = 1.0
    """Discount across epochs: 0 the present epoch only, 1 the whole lifetime."""
    gamma: float = 1.0
    """Discount within an epoch."""
    json: bool = False
    """Print JSON."""
    dials: tyro.conf.Suppress[tuple[str, ...]] = ()
    """The key=value tokens."""


def run(options: Options) -> int:
    """Solve the world and print what its oracle does."""
    from myopia.analysis.exact.occupancy import occupancy
    from myopia.analysis.exact.oracle import oracle_policy, solve, start_value
    from myopia.analysis.exact.tampering import oracle_tampering
    from myopia.analysis.exact.trajectory import likeliest_actions

    world = world_from(options.world, options.dials)
    values = solve(world, options.delta, options.gamma)
    policy = oracle_policy(world, options.delta, options.gamma)
    follows = occupancy(world, policy)
    actions = likeliest_actions(world, policy)
    result = {
        "world": world.name,
        "dials": world.dials(),
        "delta": options.delta,
        "gamma": options.gamma,
        "value": start_value(world, values.v[0, 0]),
        "return": follows.total,
        "stop": {"mean": follows.mean_stop, "survival": follows.survival.tolist()},
        "tampering": oracle_tampering(world, options.delta)._asdict()
        if world.tables.tampers.any()
        else None,
        "first_actions": actions,
    }
    if options.json:
        print_json(result)
        return 0
    print(f"{world.name}: the oracle at delta={options.delta:g}, gamma={options.gamma:g}")
    print_table(
        {
            "value under delta": result["value"],
            "undiscounted return": result["return"],
            "mean stop epoch": follows.mean_stop,
            "cutoff": world.cutoff,
            "survival by epoch": result["stop"]["survival"],
            "tampering": result["tampering"] and [*result["tampering"].values()],
        }
    )
    print("  likeliest actions, one line an epoch:")
    for epoch, names in enumerate(actions):
        print(f"    {epoch:>3}  {' '.join(names)}")
    return 0
