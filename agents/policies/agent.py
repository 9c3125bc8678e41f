"""A trained agent as a function from observations to action probabilities."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from myopia.agents.algorithms.base import Algorithm, one_hot_of_best
from myopia.agents.policies.normalization import Normalization
from myopia.agents.runs.run import RunConfig
from myopia.common.errors import first_line
from myopia.common.files import check_file
from myopia.common.search_path import safe_imports
from myopia.envs import World
from myopia.envs.observer import observation_names, observation_space


class Agent:
    """Calling it maps observations (n, D) to action probabilities (n, A).

    They are those that it samples from, all on the best action for a Q-learner; where `greedy` is
    set, for any agent.
    """

    def __init__(
        self, policy: Any, settings: Algorithm, world: World, greedy: bool = False
    ) -> None:
        self.policy, self.settings, self.world, self.greedy = policy, settings, world, greedy
        self.normalization: Normalization | None = None
        """What the observations go through before the policy sees them."""

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        """Action probabilities (n, A)."""
        with torch.no_grad():
            tensor = self._seen(observations)
            allowed = allowed_actions(self.world, observations)
            probabilities = self.settings.probabilities(self.policy, tensor, allowed)
        return self._taken(probabilities)

    def _seen(self, observations: np.ndarray) -> torch.Tensor:
        if self.normalization is not None:
            observations = self.normalization(observations)
        return torch.as_tensor(observations, device=self.policy.device)

    def _taken(self, probabilities: torch.Tensor) -> np.ndarray:
        if self.greedy:
            probabilities = one_hot_of_best(probabilities)
        return probabilities.double().cpu().numpy()

    @staticmethod
    @safe_imports()
    def load(
        folder: str | Path, steps: int | None = None, config: RunConfig | None = None
    ) -> "Agent":
        """The agent of a run folder, rebuilt from its JSON and its weights: nothing is unpickled.

        `steps` picks a snapshot taken during training (see `snapshots`); `config` is the folder's,
        for who has read it. Raises ValueError where
        the folder is no finished run, or holds no such snapshot. A run of RecurrentPPO gives a
        `RecurrentAgent`.
        """
        folder = Path(folder)
        agent = _untrained(config or RunConfig.read(folder))
        weights = folder / "weights.safetensors"
        if steps is not None:
            found = snapshots(folder)
            if steps not in found:
                raise ValueError(
                    f"{folder}: no snapshot after {steps} steps, expected one of "
                    f"{', '.join(map(str, found)) or 'none'}"
                )
            weights = found[steps]
        if not weights.exists():
            raise ValueError(
                f"{folder} has no weights.safetensors: the run has not finished, or they were "
                "lost; the same myopia train makes them"
            )
        agent.read(weights)
        return agent

    def read(self, weights: Path) -> None:
        """Take other weights from a file. Raises ValueError where they are not of this shape."""
        try:
            self.policy.load_state_dict(load_file(check_file(weights)))
        except (SafetensorError, RuntimeError) as error:
            reason = first_line(error)
            raise ValueError(f"{weights}: not the weights of this run: {reason}") from None


class RecurrentAgent(Agent):
    """An agent with a memory: it has no table of probabilities, and is judged by sampling."""

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        """Raise ValueError: what it does depends on what it saw before."""
        raise ValueError(
            "an agent with a memory is no function of the observation, expected step(observations, "
            "memory, starts)"
        )

    def step(
        self, observations: np.ndarray, memory: Any, starts: np.ndarray
    ) -> tuple[np.ndarray, Any]:
        """Action probabilities (n, A) and the next memory.

        `starts` (n,) is True where a lifetime begins: the memory is empty there, as it is where
        `memory` is None.
        """
        device = self.policy.device
        if memory is None:
            lstm = self.policy.lstm_actor
            shape = (lstm.num_layers, len(observations), lstm.hidden_size)
            memory = (torch.zeros(shape, device=device), torch.zeros(shape, device=device))
        with torch.no_grad():
            distribution, memory = self.policy.get_distribution(
                self._seen(observations),
                memory,
                torch.as_tensor(starts, dtype=torch.float32, device=device),
            )
        return self._taken(distribution.distribution.probs), memory


def check_spaces(policy: Any, world: World, name: str) -> None:
    """Raise ValueError where an SB3 policy has other spaces than `world`."""
    expected = observation_space(world).shape, len(world.actions)
    got = policy.observation_space.shape, getattr(policy.action_space, "n", None)
    if got != expected:
        raise ValueError(
            f"{name} was trained on observations of shape {got[0]} and {got[1]} actions, but "
            f"{world.name} has {expected[0]} and {expected[1]}"
        )


def agent_of(policy: Any, settings: Algorithm, world: World) -> Agent:
    """The agent that acts by `policy`, SB3's, which an algorithm with these settings trained."""
    return (RecurrentAgent if settings.recurrent else Agent)(policy, settings, world)


def iter_snapshots(folder: Path, config: RunConfig) -> Iterator[tuple[int, Agent]]:
    """After how many steps, and the agent as it was then: every snapshot of a run, in order.

    It is one agent, whose weights are replaced at each step of the iteration.
    """
    agent = _untrained(config)
    for steps, weights in snapshots(folder).items():
        agent.read(weights)
        yield steps, agent


def _untrained(config: RunConfig) -> Agent:
    world, settings = config.make_world(), config.settings
    return agent_of(settings.policy(world), settings, world)


def allowed_actions(world: World, observations: np.ndarray) -> np.ndarray:
    """Which actions `world` allows in the step that these observations show, (n, A) bool."""
    names = observation_names(world)
    steps = np.array([name.startswith("step=") for name in names])
    return world.action_masks[observations[:, steps].argmax(axis=1)]


def snapshots(folder: Path) -> dict[int, Path]:
    """Steps -> weights, of the snapshots that were taken while the run was trained, in order."""
    found = sorted((folder / "checkpoint" / "weights").glob("*.safetensors"))
    return {int(path.stem): path for path in found if path.stem.isdecimal()}
