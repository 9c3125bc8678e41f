"""The reward of a step, for every face of a world: single, batched, on tensors, wrapped, exact."""

from typing import Any


def reward_of(payoff: Any, weight: Any, upkeep: Any) -> Any:
    """Weight * payoff - upkeep: what the world pays counts by the weight, and the upkeep is due.

    Numbers or arrays of one shape. Not a negative multiplier, which would turn penalties into
    bonuses.
    """
    return weight * payoff - upkeep
