"""Opening an agent that somebody else trained, as a plain zip of Stable-Baselines3.

What was saved is partly pickled, and a pickle can run anything. So the policy is rebuilt from what
can be read without one: spaces from the world, widths from the shapes of the weights, the
activation from plain text. What that does not determine is refused by name. A lie in the plain text
gives another function than the one that was trained, but runs nothing.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete

from myopia.agents.algorithms.base import ALGORITHMS, Algorithm
from myopia.agents.algorithms.presets import find_algorithm
from myopia.agents.policies.agent import Agent, agent_of, check_spaces
from myopia.agents.policies.normalization import read_normalization
from myopia.agents.policies.safe_zip import read_agent
from myopia.agents.training.rng_state import preserve_rng_state
from myopia.common.search_path import safe_imports
from myopia.envs import World
from myopia.envs.observer import observation_space

logger = logging.getLogger(__name__)


@safe_imports()
def load_sb3_zip(
    path: Path,
    algo: str,
    world: World,
    trust: bool = False,
    vecnormalize: Path | None = None,
) -> Agent:
    """The agent in a zip that SB3's `save` wrote for the algorithm `algo`, at work in `world`.

    Nothing is unpickled but tensors; with `trust`, SB3's own loader opens the file, which runs
    whatever its author put there. `vecnormalize` is the file that `VecNormalize.save` wrote beside
    it: what the agent sees is normalised by it. Warns where the zip looks as if it was trained so
    and there is no such file. Raises ValueError where the zip is damaged, is of another
    algorithm or world, or holds a policy that cannot be rebuilt; OSError where it is not there.
    """
    settings, _ = find_algorithm(algo, world.name)
    try:
        opened = _trusted if trust else _rebuilt
        policy, seen = opened(path, settings, world)
        space = observation_space(world)
        normalization = None
        if vecnormalize is not None:
            normalization = read_normalization(Path(vecnormalize), space.shape[0])
        elif seen is not None and _lies_outside(seen, space):
            logger.warning(
                _printable(
                    f"{path}: what it saw last is no observation of {world.name}: it was trained "
                    "on normalised ones, as it looks, and is judged without; expected "
                    "--vecnormalize FILE, which VecNormalize.save wrote"
                )
            )
    except ValueError as error:  # it quotes the file, which may hold anything
        raise ValueError(_printable(str(error))) from None
    policy.set_training_mode(False)
    agent = agent_of(policy, settings, world)
    agent.normalization = normalization
    return agent


def _lies_outside(seen: np.ndarray, space: Box) -> bool:
    """Whether no world of these spaces shows this; a rounding error is none."""
    fits = seen.shape[1:] == space.shape
    return fits and bool((seen < space.low - 1e-6).any() or (seen > space.high + 1e-6).any())


def _rebuilt(path: Path, settings: Algorithm, world: World) -> tuple[Any, np.ndarray | None]:
    data, weights, seen = read_agent(path)
    activation = _checked(data, settings, f"{path}")
    inputs, actions = observation_space(world), Discrete(len(world.actions))
    try:
        shape = settings.policy_settings_of(weights, inputs.shape[0], int(actions.n))
        with preserve_rng_state():
            policy = settings.policy_class(inputs, actions, _no_rate, **shape, **activation)
        _check_names(weights, policy.state_dict())
    except ValueError as error:
        raise ValueError(
            f"{path} does not fit a {_name(settings)} policy in {world.name}, with "
            f"{inputs.shape[0]} observation entries and {actions.n} actions: {error}"
        ) from None
    policy.load_state_dict(weights)
    pickled = [name for name, said in data.items() if isinstance(said, dict) and ":type:" in said]
    logger.warning(
        _printable(f"{path}: what is pickled in it was left closed: {', '.join(pickled)}")
    )
    return policy, seen


def _trusted(path: Path, settings: Algorithm, world: World) -> tuple[Any, np.ndarray | None]:
    theirs: Any = next(
        base for base in settings.model_class.__mro__ if not base.__module__.startswith("myopia.")
    )
    with preserve_rng_state():
        try:
            model = theirs.load(path, device="cpu")
        except OSError:
            raise
        except Exception as error:  # whatever is in the file may fail as it likes
            raise ValueError(f"{path}: SB3's own loader failed: {error!r}") from None
    check_spaces(model.policy, world, f"{path}")
    seen = model._last_obs
    return model.policy, seen if isinstance(seen, np.ndarray) and seen.ndim == 2 else None


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


ACTIVATIONS: dict[str, type[torch.nn.Module]] = {
    f"<class '{_full_name(kind)}'>": kind
    for kind in (
        *(torch.nn.Tanh, torch.nn.ReLU, torch.nn.LeakyReLU, torch.nn.ELU, torch.nn.SELU),
        *(torch.nn.GELU, torch.nn.SiLU, torch.nn.Mish, torch.nn.Sigmoid, torch.nn.Softplus),
    )
}
"""Activations without weights, by the text that SB3 writes beside the pickled class."""

READ_FROM_WEIGHTS = {
    *("net_arch", "n_quantiles", "lstm_hidden_size", "n_lstm_layers", "shared_lstm"),
    *("enable_critic_lstm",),
}
WITHOUT_EFFECT = {
    *("optimizer_class", "optimizer_kwargs", "ortho_init", "log_std_init", "normalize_images"),
    *("share_features_extractor", "full_std", "use_expln"),
}
"""They matter in training, for images or for continuous actions only."""

HARMLESS = {
    "features_extractor_class": (
        "<class 'stable_baselines3.common.torch_layers.FlattenExtractor'>",
    ),
    "features_extractor_kwargs": (None, {}),
    "use_sde": (False,),
    "squash_output": (False,),
    "lstm_kwargs": (None, {}),
}
"""Settings that would change the function, with the values that do not."""

MOST_LETTERS = 500
"""Of a sentence about a file."""

SPACES = {"observation_space": "box.Box", "action_space": "discrete.Discrete"}


def _checked(data: dict[str, Any], settings: Algorithm, name: str) -> dict[str, Any]:
    """The activation that the plain text names, once everything else there is understood."""
    _check_class(data.get("policy_class"), settings, name)
    for space, kind in SPACES.items():
        said = data.get(space)
        of = said.get(":type:", "") if isinstance(said, dict) else said
        if not str(of).endswith(f".{kind}'>"):
            raise ValueError(f"{name}: expected {space} to be a {kind.split('.')[1]}, got {of}")
    kwargs = data.get("policy_kwargs")
    if not isinstance(kwargs, dict) or set(kwargs) == {":type:"}:
        raise ValueError(f"{name}: policy_kwargs is not there in plain text; expected SB3's own")
    found = {}
    for key, value in kwargs.items():
        if key == "activation_fn":
            if str(value) not in ACTIVATIONS:
                known = ", ".join(kind.__name__ for kind in ACTIVATIONS.values())
                raise ValueError(
                    f"{name}: activation {value} is not known, expected one of {known}"
                )
            found["activation_fn"] = ACTIVATIONS[str(value)]
        elif key in HARMLESS:
            if value not in HARMLESS[key]:
                raise ValueError(f"{name}: cannot rebuild a policy with {key}={value}")
        elif key not in {":type:", *READ_FROM_WEIGHTS, *WITHOUT_EFFECT}:
            raise ValueError(f"{name}: cannot rebuild a policy with the setting {key!r}")
    return found


def _check_class(said: Any, settings: Algorithm, name: str) -> None:
    """The policy's class, from what SB3 wrote of it: its module, and its constructor."""
    of = "which cannot be read"
    if isinstance(said, dict) and "__module__" in said:
        constructor = str(said.get("__init__", "")).removeprefix("<function ")
        of = f"{said['__module__']}.{constructor.partition('.')[0]}"
    known = {name: _full_name(kind.policy_class) for name, kind in ALGORITHMS.items()}
    expected = _full_name(settings.policy_class)
    if of == expected:
        return
    theirs = [name for name, policy in known.items() if policy == of]
    hint = f", did you mean --algo {' or '.join(theirs)}?" if theirs else f", expected {expected}"
    raise ValueError(f"{name}: its policy, {of}, is not that of {_name(settings)}{hint}")


def _check_names(weights: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    for key in sorted(weights.keys() ^ expected.keys()):
        where = "is there, but not expected" if key in weights else "is missing"
        raise ValueError(f"{key} {where}")
    for key, weight in expected.items():
        if weights[key].shape != weight.shape:
            raise ValueError(
                f"{key} has the shape {tuple(weights[key].shape)}, expected {tuple(weight.shape)}"
            )


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:MOST_LETTERS]


def _name(settings: Algorithm) -> str:
    return settings.kind


def _no_rate(progress: float) -> float:
    """Nothing is trained."""
    return 0.0
