"""Going on from a finished run: a new run that begins with its weights and its optimiser.

In the same world or in another one of the same inputs and actions, under the same credit or
another. What begins anew: the seed's lifetimes and draws, the counter of steps and what is
scheduled by it (learning rate, exploration), and a replay buffer, which no finished run keeps. What
goes on: the weights (target networks included) and the moments of the optimiser.
"""

import dataclasses
import hashlib
import logging
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from stable_baselines3.common.base_class import BaseAlgorithm

from myopia.agents.policies.safe_zip import read_tensors
from myopia.agents.runs.optimizer_state import load_optimizer, optimizer_layout
from myopia.agents.runs.run import SETTINGS, RunConfig, is_done, read_record
from myopia.common.errors import first_line
from myopia.common.files import check_file
from myopia.envs import World
from myopia.envs.observer import observation_names
from myopia.envs.registry import world_name
from myopia.envs.task import Task

logger = logging.getLogger(__name__)

OPTIMIZER = "policy.optimizer.pth"


@dataclasses.dataclass(frozen=True)
class Origin:
    """A finished run, from which others go on.

    `name` is its id and a digest of what they begin with; `lineage` the runs before it.
    """

    folder: Path
    config: RunConfig
    name: str
    weights: dict[str, torch.Tensor]
    optimizer: dict[str, torch.Tensor]
    lineage: list[dict[str, Any]]

    @property
    def next_lineage(self) -> list[dict[str, Any]]:
        """The lineage of a run that goes on from it."""
        one = {"run": self.name, "folder": str(self.folder), "steps": self.config.steps}
        return [*self.lineage, one]


def origin_of(folder: str | Path) -> Origin:
    """The run in `folder`. Raises ValueError where it has not finished, or is damaged."""
    folder = Path(folder)
    config = RunConfig.read(folder)
    if not is_done(folder):
        raise ValueError(f"{folder} has not finished: expected a run that is done to go on from")
    path, saved = folder / "weights.safetensors", folder / "model.zip"
    try:
        weights = load_file(check_file(path))
    except SafetensorError as error:
        raise ValueError(f"{path}: not the weights of this run: {first_line(error)}") from None
    optimizer = _optimizer(saved)
    digest = hashlib.sha256()
    for tensors in (weights, optimizer):
        for name, tensor in sorted(tensors.items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.contiguous().numpy().data)
    name = f"{config.id}@{digest.hexdigest()[:16]}"
    return Origin(folder, config, name, weights, optimizer, read_record(folder)["lineage"])


def continuation(
    origin: Origin, world: str | type[Task] | World | None = None, **words: Any
) -> RunConfig:
    """The config of a run that goes on from `origin`.

    World, dials, algorithm and credit are those of `origin` unless given; a world that is named
    has its own dials. Raises ValueError where the networks are not of the same shape.
    """
    old = origin.config
    kept = {"algo": old.algo, "credit": old.credit}
    settings = {**kept, **{name: words.pop(name) for name in SETTINGS if name in words}}
    if world is None:
        where = old.make_world().replace(**words)
        config = RunConfig.of(where, **settings)
    else:
        config = RunConfig.of(world, **settings, **words)
    config = dataclasses.replace(config, continues=origin.name)
    check_continues(origin, config)
    return config


def check_continues(origin: Origin, config: RunConfig) -> None:
    """Raise ValueError where a run of `config` cannot begin with what `origin` ended with."""
    if config.continues != origin.name:
        raise ValueError(
            f"{origin.folder} holds {origin.name}, but the run goes on from {config.continues}"
        )
    old = origin.config
    if config.algorithm != old.algorithm:
        raise ValueError(
            f"{origin.folder} was trained by {old.algorithm}, expected the same algorithm, got "
            f"{config.algorithm}"
        )
    world, before = config.make_world(), old.make_world()
    expected = {k: tuple(v.shape) for k, v in config.settings.policy(world).state_dict().items()}
    got = {name: tuple(tensor.shape) for name, tensor in origin.weights.items()}
    if got != expected:
        raise ValueError(
            f"{origin.folder} has networks of another shape: {_shape(old, before)}, but this run "
            f"needs {_shape(config, world)}; expected the same"
        )
    if observation_names(world) != observation_names(before):
        logger.warning(
            "%s was trained on %s, and goes on in %s, where the entries mean %s",
            origin.folder,
            ", ".join(observation_names(before)),
            world_name(type(world.task)),
            ", ".join(observation_names(world)),
        )


def begin(model: BaseAlgorithm, origin: Origin) -> None:
    """Give a freshly built model the weights and the optimiser of `origin`.

    Raises ValueError, before the model is touched, where they are not of its kind.
    """
    if origin.optimizer:
        layout = optimizer_layout(model.policy.optimizer)
        for name in layout.keys() ^ origin.optimizer.keys():
            raise ValueError(f"{origin.folder}: its optimiser is another one, at {name[:80]}")
        for name, like in layout.items():
            if origin.optimizer[name].shape != like.shape:
                raise ValueError(f"{origin.folder}: its optimiser has another shape, at {name}")
    model.policy.load_state_dict(origin.weights)
    load_optimizer(model.policy.optimizer, origin.optimizer)


def _shape(config: RunConfig, world: World) -> str:
    hidden = "/".join(map(str, config.settings.hidden))
    entries = len(observation_names(world))
    return f"hidden={hidden} on {entries} entries and {len(world.actions)} actions"


def _optimizer(saved: Path) -> dict[str, torch.Tensor]:
    """The optimiser's tensors in SB3's zip, as `optimizer_state` names them."""
    found = read_tensors(saved, OPTIMIZER)
    state = found.get("state") if isinstance(found, dict) else None
    if not isinstance(state, dict) or not all(isinstance(row, dict) for row in state.values()):
        raise ValueError(f"{saved}: {OPTIMIZER} is no state of an optimiser")
    return {
        f"{index}/{name}": torch.as_tensor(value)
        for index, row in state.items()
        for name, value in row.items()
    }
