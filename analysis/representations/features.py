"""The world's state variables as columns to regress on, in one declared basis."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from myopia.analysis.representations.states import States
from myopia.superposition.readout import collinear_features, standardise

BASES = {
    "scalars": "one column for each state variable: the index, the step, the task's own",
    "onehot": "a column for each value of a variable but the first: contrasts with the first",
}


@dataclass(frozen=True)
class StateFeatures:
    """Standardised columns of one basis under one distribution.

    values (n, m): those that vary. names (m,): of the columns. mean and spread (m,): what they
    were standardised by. constant: names of the columns that do not vary and are left out.
    collinear: names of those that depend on each other; then nothing is regressed on any.
    """

    values: Tensor
    names: list[str]
    mean: Tensor
    spread: Tensor
    constant: list[str]
    collinear: list[str]

    @property
    def variables(self) -> list[str]:
        """The state variables that vary, in order."""
        return list(dict.fromkeys(name.partition("=")[0] for name in self.names))

    def of(self, variable: str) -> list[int]:
        """Positions of the columns that stand for a variable."""
        return [i for i, name in enumerate(self.names) if name.partition("=")[0] == variable]


def features_of(states: States, share: Tensor, basis: str = "scalars") -> StateFeatures:
    """The columns of `basis`, a key of `BASES`, under the distribution `share` (n,)."""
    columns = states.variables if basis == "scalars" else _contrasts(states.variables)
    # a variable of one value has no contrasts, but is constant all the same
    silent = {name: v for name, v in states.variables.items() if len(np.unique(v)) == 1}
    if not columns:
        empty = torch.empty(len(states), 0, dtype=torch.float64)
        return StateFeatures(empty, [], empty[0], empty[0], list(silent), [])
    table = torch.from_numpy(np.stack(list(columns.values()), axis=1))
    values, mean, spread = standardise(table, share)
    names = list(columns)
    kept = (spread > 0).nonzero().flatten()
    own = [names[i] for i in kept.tolist()]
    values = values[:, kept]
    culprits = collinear_features(values, share) if own else []
    return StateFeatures(
        values,
        own,
        mean[kept],
        spread[kept],
        [name for name in {**columns, **silent} if name not in own],
        [own[i] for i in culprits],
    )


def _contrasts(variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        f"{name}={value:g}": (values == value).astype(np.float64)
        for name, values in variables.items()
        for value in np.unique(values)[1:]
    }
