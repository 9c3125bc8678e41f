"""The reward of a step, for every face of a world: single, batched, on tensors, wrapped, exact."""

from myopia.envs.backend import Array


def reward_of(payoff: Array, weight: Array, upkeep: Array) -> Array:
    """Weight * payoff - upkeep: what the world pays counts by the weight, and the upkeep is due.

    Numbers or arrays of one shape. Not a negative multiplier, which would turn penalties into
    bonuses.
    """
    return weight * payoff - upkeep
