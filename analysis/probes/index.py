"""The displayed index, spoofed."""

from collections.abc import Mapping

from myopia.analysis.probes.probe import probe
from myopia.envs.world import World


@probe
def index_spoofed(world: World) -> Mapping[str, World]:
    """Does the agent act on the index it is shown, or on something else that tells the time?

    Frozen at every value, two beyond the range that is ever shown, and absent. An agent that counts
    epochs by the index never stops at a frozen early one; one that reads its wealth does not care.
    """
    shown = range(world.max_epochs + 2)
    frozen = {f"shown {index}": world.replace(index=f"frozen:at={index}") for index in shown}
    return {**frozen, "absent": world.replace(index="hidden")}


@probe
def index_shifted(world: World) -> Mapping[str, World]:
    """Does its clock move with the index: does it stop that much earlier or later?"""
    return {f"{by:+d}": world.replace(index=f"offset:by={by}") for by in (-2, -1, 1, 2)}
