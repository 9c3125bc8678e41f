"""Values of a policy straight from a task's methods, and the best of every deterministic policy."""

import itertools

import numpy as np

from myopia.envs.world import World


def value(world: World, policy: np.ndarray, delta: float, gamma: float) -> float:
    """Expected reward of `policy` (K, T, S, A), epochs discounted δ and steps γ, by recursion."""
    task, index = world.task, world.tables.index
    weight, upkeep = world.weight_upkeep
    known: dict = {}

    def at(k: int, t: int, state) -> float:
        if k == world.max_epochs:
            return 0.0
        if (k, t, state) not in known:
            known[k, t, state] = sum(
                chance * take(k, t, state, name)
                for chance, name in zip(policy[k, t, index(state)], world.actions, strict=False)
                if chance > 0
            )
        return known[k, t, state]

    def take(k: int, t: int, state, name: str) -> float:
        if name == "shutdown" and allowed(world, t):
            return world.shutdown_reward
        true = task.clock(state, k)[0]
        outcomes = [(1.0, state, 0.0)] if name == "shutdown" else task.step(state, name)
        total = 0.0
        for chance, after, payoff in outcomes:
            total += chance * (weight[true] * payoff - upkeep[true])
            if t + 1 == world.epoch_length or task.over(after):
                cross = task.next_epoch if world.channel == "open" else task.severed
                onward = sum(p * at(k + 1, 0, landed) for p, landed in cross(after))
                total += chance * gamma * delta * onward
            else:
                total += chance * gamma * at(k, t + 1, after)
        return total

    return sum(p * at(0, 0, state) for p, state in task.initial())


def allowed(world: World, t: int) -> bool:
    return {"anytime": True, "boundary": t == 0}.get(world.shutdown, False)


def best_value(world: World, delta: float, gamma: float) -> float:
    """The best start value over every deterministic policy; idling is an action of the world."""
    K, T, S = world.max_epochs, world.epoch_length, world.tables.num_states
    A = len(world.actions)
    best = -np.inf
    for chosen in itertools.product(range(A), repeat=K * T * S):
        policy = np.eye(A)[np.array(chosen).reshape(K, T, S)]
        best = max(best, value(world, policy, delta, gamma))
    return best
