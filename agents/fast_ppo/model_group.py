"""What models that learn side by side have in common: lifetimes, weights, networks."""

import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch

from myopia.agents.fast_ppo.flat_parameters import FlatParameters, adam_settings
from myopia.agents.fast_ppo.joint_networks import JointNetworks
from myopia.agents.fast_ppo.layout import Spans
from myopia.agents.fast_ppo.memory import check_memory
from myopia.agents.fast_ppo.native import native
from myopia.agents.fast_ppo.networks import towers_of
from myopia.agents.fast_ppo.simulator import make_simulator
from myopia.agents.fast_ppo.stacked_networks import StackedNetworks
from myopia.envs.credit.credit import Credit

MOST_ENTRIES = 1 << 25
"""Of a table of all observations, 128 MB in single precision."""


class ModelGroup:
    """S models, and E = S * envs lifetimes.

    Tensors by step are (steps, E), by model (S, steps * envs).
    """

    def __init__(self, models: Sequence[Any]) -> None:
        check_alike(models)
        first = models[0]
        self.models, self.device = len(models), first.device
        self.steps, self.envs = first.n_steps, first.n_envs
        worlds = [native(model.env)[0].world for model in models]
        self.simulator = make_simulator(worlds, self.envs, self.device)
        self._first_key = self._column([start for start, _ in self.simulator.spans])
        self._last_number = self._column(
            [observer.count - 1 for observer in self.simulator.observers]
        )
        towers = towers_of(first.policy)
        self.parameters = FlatParameters([model.policy for model in models], towers.in_order())
        self.dtype = self.parameters.values.dtype
        networks = JointNetworks if self.on_cpu else StackedNetworks
        self.networks = networks(self.parameters, towers)
        self.actions = int(first.action_space.n)
        self.entries = first.observation_space.shape[0]
        self._every = self._every_observation()
        shapes = self.parameters.shapes.values()
        check_memory(
            self.models,
            self.envs,
            self.steps,
            max(observer.count for observer in self.simulator.observers) if self.on_cpu else None,
            self.entries,
            sum(shape[0] for shape in shapes if len(shape) == 1),
            self.device,
        )

    @property
    def on_cpu(self) -> bool:
        """On a CPU shapes may follow the data; elsewhere the CPU would have to wait for them."""
        return self.device.type == "cpu"

    def observations(self, keys: torch.Tensor, spans: Spans) -> torch.Tensor:
        """What keys (rows,) stand for, (rows, D); those of model s in its span."""
        if not self.on_cpu:
            return self._observations_evenly(keys)
        if self.models == 1 and self._every:
            return self._every[0].index_select(0, keys)
        seen = torch.zeros(len(keys), self.entries, dtype=self.dtype, device=self.device)
        for number, ((start, end), (first, _)) in enumerate(
            zip(spans, self.simulator.spans, strict=True)
        ):
            numbers = keys[start:end] - first
            if self._every:
                seen[start:end] = self._every[number].index_select(0, numbers)
            else:
                seen[start:end] = self.simulator.observers[number].observations(numbers)
        return seen

    def _every_observation(self) -> list[torch.Tensor]:
        """All that each model can see, (keys of a model, D); empty where that is too much to keep.

        Keys that stand for nothing, which fill up a model's span, are seen as zeros.
        """
        distinct = dict.fromkeys(self.simulator.observers)
        entries = self.simulator.num_keys // self.models * len(distinct) * self.entries
        if not self.on_cpu or entries > MOST_ENTRIES:
            return []
        tables = {}
        for observer in distinct:
            rows = torch.zeros(self.simulator.num_keys // self.models, self.entries)
            rows[: observer.count] = observer.observations(torch.arange(observer.count))
            tables[observer] = rows.to(self.dtype)
        return [tables[observer] for observer in self.simulator.observers]

    def _observations_evenly(self, keys: torch.Tensor) -> torch.Tensor:
        """The same where each model has as many rows: neighbours in one world at once.

        What fills up the rows between is shown as any row of the model.
        """
        numbers = keys.view(self.models, -1) - self._first_key
        numbers = torch.minimum(numbers.clamp_(min=0), self._last_number)
        parts, start = [], 0
        for observer, same in itertools.groupby(self.simulator.observers):
            end = start + sum(1 for _ in same)
            parts.append(observer.observations(numbers[start:end].flatten()))
            start = end
        return torch.cat(parts).to(self.dtype)

    def _column(self, numbers: list[int]) -> torch.Tensor:
        return torch.tensor(numbers, device=self.device)[:, None]

    def by_model(self, x: torch.Tensor) -> torch.Tensor:
        """(steps, E) -> (S, steps * envs)."""
        return x.view(len(x), self.models, self.envs).transpose(0, 1).reshape(self.models, -1)

    def by_step(self, x: torch.Tensor) -> torch.Tensor:
        """(S, steps * envs) -> (steps, E)."""
        return x.view(self.models, -1, self.envs).transpose(0, 1).flatten(1)

    def columns(self) -> list[slice]:
        """The envs of each model."""
        return [slice(i * self.envs, (i + 1) * self.envs) for i in range(self.models)]


ALIKE: dict[str, Callable[[Any], Any]] = {
    **{name: operator.attrgetter(name) for name in ("n_steps", "n_envs", "batch_size", "n_epochs")},
    "normalize_advantage": operator.attrgetter("normalize_advantage"),
    "device": operator.attrgetter("device"),
    "entries of the observation": lambda model: model.observation_space.shape[0],
    "actions": lambda model: model.action_space.n,
    "network": lambda model: [
        (name, tuple(weight.shape), weight.dtype)
        for name, weight in model.policy.named_parameters()
    ],
    "optimiser": lambda model: adam_settings(model.policy),
    "whether values are clipped": lambda model: model.clip_range_vf is not None,
    "whether there is a target_kl": lambda model: model.target_kl is not None,
    "steps that a rollout leaves waiting": lambda model: Credit.of(model.credit).pending,
    "steps that wait for credit": lambda model: len(model.pending_steps.get("rows", ())),
}
"""What models must agree in to learn side by side."""


def check_alike(models: Sequence[Any]) -> None:
    """Raise ValueError where models cannot learn side by side, naming what differs."""
    for name, of in ALIKE.items():
        values = [of(model) for model in models]
        for value in values[1:]:
            if value != values[0]:
                raise ValueError(
                    f"models that learn together must agree in {name}, got {values[0]} and {value}"
                )
