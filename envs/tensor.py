"""A world on torch tensors, on any device: the same rules, the same lifetimes.

Nothing in a step waits for the device or depends on data for its shape, so that a rollout can be
captured as a graph. This module imports torch; the package does not.
"""

import myopia.envs.learning_libraries  # noqa: F401  # isort: skip

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from typing_extensions import override

from myopia.envs.backend import Backend
from myopia.envs.batch import Batch, StepResult
from myopia.envs.randomness import draw_key
from myopia.envs.registry import make_world
from myopia.envs.task import Task
from myopia.envs.vector import keys_from
from myopia.envs.world import World


class TensorBatch:
    """`num_envs` lifetimes of a world as tensors on `device`.

    `reset(seed)` and `step(actions)` return tensors: observations (n, D) float32, everything else
    (n,), rewards float64 as in numpy. Env i seeded s equals the single env seeded s + i.
    """

    def __init__(
        self,
        world: str | type[Task] | World,
        num_envs: int,
        device: str | torch.device = "cpu",
        **dials: Any,
    ) -> None:
        self.world = world if isinstance(world, World) else make_world(world, **dials)
        self.device = torch.device(device)
        self.num_envs = num_envs
        self._batch = Batch(self.world, num_envs, TorchBackend.on(self.device))
        self.num_actions = len(self.world.actions)

    def reset(self, seed: int | list[int] | None = None) -> torch.Tensor:
        """First observations; without a seed the keys come from the operating system."""
        if seed is None:
            generator = np.random.default_rng()
            keys = [draw_key(generator) for _ in range(self.num_envs)]
        else:
            keys = keys_from(seed, self.num_envs)
        return self._batch.reset(torch.tensor(keys, device=self.device))

    def step(self, actions: torch.Tensor) -> StepResult:
        """Take actions, (n,) ints. On a GPU a bad action is reported by a device assertion."""
        if self._batch.cell is None:
            raise ValueError("call reset() before step()")
        if actions.shape != (self.num_envs,) or actions.is_floating_point():
            raise ValueError(
                f"actions must be integers of shape ({self.num_envs},), "
                f"got {actions.dtype} of shape {tuple(actions.shape)}"
            )
        fits = ((actions >= 0) & (actions < self.num_actions)).all()
        torch._assert_async(  # type: ignore[reportPrivateImportUsage]
            fits, f"actions must lie in 0..{self.num_actions - 1}"
        )
        return self._batch.step(actions)

    def action_masks(self) -> torch.Tensor:
        """Which actions are allowed now, (n, num_actions) bool."""
        return self._batch.masks()


class TorchBackend(Backend):
    """Tensors (n,) on one device; one instance for each, so that tables are shared."""

    table_limit = 1 << 23
    _instances: ClassVar[dict[torch.device, "TorchBackend"]] = {}

    def __init__(self, device: torch.device) -> None:
        self.device = device

    @classmethod
    def on(cls, device: torch.device) -> "TorchBackend":
        """The operations on this device."""
        return cls._instances.setdefault(device, cls(device))

    @override
    def table(self, array: np.ndarray) -> torch.Tensor:
        return torch.tensor(array, device=self.device)

    @override
    def take(self, table: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        return table.index_select(0, index)

    @override
    def where(self, condition: torch.Tensor, yes: Any, no: Any) -> torch.Tensor:
        return torch.where(condition, yes, no)

    @override
    def sample_outcome(
        self, edges: torch.Tensor, distribution_id: torch.Tensor, draw: torch.Tensor
    ) -> torch.Tensor:
        return (draw[:, None] >= edges.index_select(0, distribution_id)).sum(dim=1)

    @override
    def join(self, parts: Sequence[torch.Tensor]) -> torch.Tensor:
        return torch.cat(list(parts), dim=1)

    @override
    def zeros(self, size: int, kind: type) -> torch.Tensor:
        dtype = torch.int64 if kind is int else torch.float64
        return torch.zeros(size, dtype=dtype, device=self.device)

    @override
    def none(self, mask: torch.Tensor) -> bool:
        return False  # a device is not asked
