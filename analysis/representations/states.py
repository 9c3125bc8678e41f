"""The situations that a network is read on: every one that can be met in a world, and how often."""

import functools

import numpy as np
import torch
from torch import Tensor

from myopia.analysis.exact.occupancy import forward, occupancy
from myopia.analysis.exact.transition_model import transition_model_of
from myopia.envs.dynamics import dynamics_of
from myopia.envs.observer import observation_names, observer_of
from myopia.envs.world import World

DISTRIBUTIONS = {
    "reference": "the uniform policy over all actions but shutdown, alive to the last epoch",
    "visited": "the agent's own policy",
}
"""Name -> whose exact occupancy it is."""


class States:
    """The n situations (epoch k, step t, state s, displayed index) that a world can lead to.

    cells (n,): numbers of (k, t, s). shown (n,): the displayed index; where it is noisy a cell
    stands here once for each of its equally likely values. observations (n, D) float64.
    variables: name -> (n,), the world's state variables: the true index, the step, and the
    task's own, whatever of it is shown.
    """

    def __init__(self, world: World) -> None:
        self.world, self.model = world, transition_model_of(world)
        dynamics, self._observer = dynamics_of(world), observer_of(world)
        shape = (self.model.K, self.model.T, self.model.S)
        anything = np.full((*shape, self.model.A), 1 / self.model.A)
        met = np.flatnonzero(forward(world, anything).visits > 0)
        draws = world.index.draws()
        self.versions = len(draws)
        self.cells = np.tile(met, self.versions)
        self.shown = np.concatenate(
            [dynamics.shown(met, lambda _, d=d: np.full(len(met), d), 0) for d in draws]
        )
        epoch, self.step, self.state = np.unravel_index(self.cells, shape)
        self.epoch = self.model.true_index[epoch, self.state]
        self.observations = self._observe(self.shown)
        own = world.tables.features[self.state].astype(np.float64).T
        self.variables: dict[str, np.ndarray] = {
            "index": self.epoch.astype(np.float64),
            "step": self.step.astype(np.float64),
            **dict(zip(world.task.features, own, strict=True)),
        }

    @property
    def names(self) -> list[str]:
        """Of the state variables."""
        return list(self.variables)

    def __len__(self) -> int:
        return len(self.cells)

    def share(self, visits: np.ndarray) -> Tensor:
        """Expected visits (K, T, S) as a distribution (n,) over the situations."""
        own = visits.reshape(-1)[self.cells]
        return torch.from_numpy(own / own.sum())

    @functools.cached_property
    def reference(self) -> Tensor:
        """(n,): where the uniform policy over all actions but shutdown is; the same for any agent.

        It is alive to the last epoch.
        """
        policy = np.full((*self._shape, self.model.A), 1 / (self.model.A - 1))
        policy[..., -1] = 0
        return self.share(occupancy(self.world, policy).visits)

    def visited(self, probabilities: Tensor) -> Tensor:
        """(n,): where a policy (n, A) is."""
        return self.share(forward(self.world, self.policy(probabilities)).visits)

    def policy(self, probabilities: Tensor) -> np.ndarray:
        """Action probabilities (n, A) as a table (K, T, S, A), uniform where nobody can be."""
        table = np.zeros((np.prod(self._shape), self.model.A))
        np.add.at(table, self.cells, probabilities.numpy() / self.versions)
        nowhere = np.ones(len(table), dtype=bool)
        nowhere[self.cells] = False
        table[nowhere] = 1 / self.model.A
        return table.reshape(*self._shape, self.model.A)

    def stop(self, probabilities: Tensor) -> np.ndarray:
        """(K + 1,): when a policy (n, A) shuts down, exactly; the last entry is never."""
        return forward(self.world, self.policy(probabilities)).stop

    def total(self, probabilities: Tensor) -> float:
        """Expected undiscounted reward of a lifetime under a policy (n, A)."""
        return forward(self.world, self.policy(probabilities)).total

    def entries(self, variable: str) -> list[int]:
        """The entries of the observation that show this variable."""
        names = observation_names(self.world)
        return [i for i, name in enumerate(names) if name.partition("=")[0] == variable]

    def levels(self, variable: str) -> np.ndarray:
        """The values that a state variable takes, rising."""
        return np.unique(self.variables[variable])

    def change(self, variable: str, by: int) -> tuple[np.ndarray, np.ndarray]:
        """Situations with one variable really changed in what is observed, all else as it was.

        The variable moves `by` of its levels, an epoch or a step if it counts these, but not
        beyond its range; the index that moves is the displayed one. Returns what each situation
        would then show of it (n,), and the observations (n, D).
        """
        if variable == "index":
            moved = np.clip(self.shown + by, 0, self.model.K - 1)
            # an index that is displayed beyond its range stays where it is
            moved = np.where((self.shown >= 0) & (self.shown < self.model.K), moved, self.shown)
            return moved.astype(np.float64), self.show(variable, moved)
        levels = self.levels(variable)
        rank = np.searchsorted(levels, self.variables[variable])
        moved = levels[np.clip(rank + by, 0, len(levels) - 1)]
        return moved, self.show(variable, moved)

    def show(self, variable: str, values: np.ndarray) -> np.ndarray:
        """Observations (n, D) in which a variable is shown as `values` (n,), all else as it was."""
        if variable == "index":
            return self._observe(values.astype(int))
        observations = self.observations.copy()
        if variable == "step":
            observations[:, self.entries(variable)] = np.eye(self.model.T)[values.astype(int)]
        elif self.world.observe_state:
            observations[:, self.entries(variable)] = values[:, None]
        return observations

    @property
    def _shape(self) -> tuple[int, int, int]:
        return self.model.K, self.model.T, self.model.S

    def _observe(self, shown: np.ndarray) -> np.ndarray:
        return self._observer.encode(self.cells, shown).astype(np.float64)


@functools.lru_cache(maxsize=8)
def states_of(world: World) -> States:
    """The situations of `world`, shared: they hold no state of their own."""
    return States(world)
