"""A task large enough to time."""

import dataclasses

from typing_extensions import override

from myopia.envs import Task


@dataclasses.dataclass(frozen=True)
class Chain(Task):
    """A walk over many places."""

    states: int = 1_000_000

    actions = ("left", "right", "jump", "stay")
    features = ("place",)
    incentives = ()

    @override
    def initial(self):
        return [(1.0, 0)]

    @override
    def step(self, state, action):
        reach = {"left": -1, "right": 1, "jump": 317, "stay": 0}[action]
        return [(1.0, (state + reach) % self.states, float(state % 3))]

    @override
    def observe(self, state):
        return (state / self.states,)
