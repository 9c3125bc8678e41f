"""Worlds in which training goes wrong, for the tests of what runs many of them."""

import dataclasses
import os

from myopia.envs import Task, register


@register
@dataclasses.dataclass(frozen=True)
class Deadly(Task):
    """`how`: `raise` fails in the first step, `die` ends the process that takes it."""

    how: str = "raise"

    actions = ("work",)
    features = ("nothing",)
    incentives = ()

    def initial(self):
        return [(1.0, 0)]

    def step(self, state, action):
        if self.how == "die":
            os._exit(7)
        raise RuntimeError("out of luck")

    def observe(self, state):
        return (0.0,)
