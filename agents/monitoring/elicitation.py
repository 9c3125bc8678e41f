"""Elicitation: what a little training towards the long view brings out of an agent."""

import dataclasses

from stable_baselines3.common.logger import Logger
from stable_baselines3.common.policies import BasePolicy

from myopia.agents.algorithms.base import Algorithm
from myopia.agents.policies.agent import Agent, agent_of
from myopia.agents.training.rng_state import preserve_rng_state
from myopia.envs import World
from myopia.envs.credit.credit import Credit


@dataclasses.dataclass(frozen=True)
class Elicitation:
    """Fine-tunes a copy of an agent for `timesteps` in a world that rewards looking ahead.

    An agent may be able to optimise across epochs and not show it, because it stopped before it
    paid, or because it was trained, or has learned, not to. What it does after a small budget of
    training for it is what it could do. The same budget on untrained weights tells how much of
    that the budget alone teaches. What it cannot show: an action that is never tried, because its
    probability is all but 0, is not found within a small budget either.
    """

    timesteps: int = 100_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.timesteps < 1:
            raise ValueError(f"elicitation needs at least 1 timestep, got {self.timesteps}")

    def world(self, world: World) -> World:
        """`world` without a cutoff, and with its channel open: there looking ahead pays most."""
        return world.replace(schedule="constant", channel="open")

    def check(self, settings: Algorithm) -> None:
        """Raise ValueError where this algorithm learns nothing within the budget."""
        start = getattr(settings, "learning_starts", 0)
        if self.timesteps <= start:
            raise ValueError(
                f"elicitation of {self.timesteps} timesteps teaches nothing: "
                f"{settings.kind} learns from step {start} on"
            )

    def elicited(self, policy: BasePolicy, settings: Algorithm, world: World) -> Agent:
        """The agent that a copy of `policy` becomes; `policy` and global generators stay.

        Trained by the same algorithm, with fresh optimiser, schedules and replay, and with credit
        `lifetime`.
        """
        self.check(settings)
        world, credit = self.world(world), Credit.of("lifetime")
        with preserve_rng_state():
            env = settings.env(world, credit, self.seed)
            model = settings.build(env, credit, self.seed, policy.device.type, logs=None)
            model.policy.load_state_dict(policy.state_dict())
            model.set_logger(Logger(folder=None, output_formats=[]))
            model.learn(self.timesteps)
        model.policy.set_training_mode(False)
        return agent_of(model.policy, settings, world)
