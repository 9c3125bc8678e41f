"""A run between two rollouts, kept so that it goes on as if it had never stopped.

One safetensors file holds every array (policy, optimiser, replay, lifetimes under way, generators)
and, as JSON in its header, the counters: no pickle, and it is replaced in one step.
"""

import json
import random
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnvWrapper

from myopia.common.files import write_whole

COUNTERS = (
    *("num_timesteps", "_total_timesteps", "_n_updates", "_current_progress_remaining"),
    *("_episode_num", "_n_calls", "exploration_rate", "ent_coef", "rollouts"),
)
"""Attributes of SB3's models that are numbers; each model has some of them, and no others are set.

A file that named another one could set the folder that logs are written to.
"""

REPLAY = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")

_LEGACY = {"bit_generator": "MT19937", "has_gauss": 0, "gauss": 0.0}

Arrays = dict[str, np.ndarray]


def save_checkpoint(path: Path, model: BaseAlgorithm, run: str, extra: dict[str, Any]) -> None:
    """Write `model`, as it is before a rollout, to `path`; `run` names the run that it is of.

    `extra` is what else must go on, as JSON.
    """
    arrays = {
        **_nested("policy", model.policy.state_dict()),
        **_nested("optimizer", _optimizer_state(model)),
        **_prefixed("last", _last(model)),
        **_prefixed("env", world_env(model).batch.state()),
        **_prefixed("generator", _generators(model)),
        **_prefixed("buffer", _buffer(model)),
    }
    facts = {
        "run": run,
        "counters": {name: getattr(model, name) for name in COUNTERS if hasattr(model, name)},
        "episodes": list(model.ep_info_buffer or []),
        "action_space": _plain(model.action_space.np_random.bit_generator.state),
        "numpy": _numpy_state()["pos"],
        "extra": extra,
    }
    metadata = {"facts": json.dumps(facts)}
    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    write_whole(path, lambda temporary: save_file(arrays, temporary, metadata=metadata))


def load_checkpoint(
    path: Path, model: BaseAlgorithm, runs: Sequence[str], whole: Path | None = None
) -> dict[str, Any]:
    """Put `model`, freshly built for the same run, where `save_checkpoint` left it.

    `runs` are the names that the run may have in it. Returns `extra`. `whole` is the folder of a
    checkpoint of which `path` is a part. Raises ValueError, before the model is touched, where the
    file is damaged or of another run.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            facts = json.loads(file.metadata()["facts"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise ValueError(
            f"{path} is damaged ({str(error).splitlines()[0]}): delete {whole or 'it'} to train "
            "from the start"
        ) from None
    if facts["run"] not in runs:
        raise ValueError(f"{path} is of the run {facts['run']}, expected {runs[0]}")
    for name, value in facts["counters"].items():
        if name not in COUNTERS or isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(
                f"{path} is damaged (counter {name!r} is {value!r}, expected numbers named "
                f"{', '.join(COUNTERS)}): delete {whole or 'it'} to train from the start"
            )
    model.policy.load_state_dict(_tensors(_within("policy", arrays)))
    _load_optimizer(model, _tensors(_within("optimizer", arrays)))
    _load_last(model, _within("last", arrays))
    world_env(model).batch.resume(_within("env", arrays))
    _load_buffer(model, _within("buffer", arrays))
    for name, value in facts["counters"].items():
        setattr(model, name, value)
    model.ep_info_buffer = deque(facts["episodes"], maxlen=model._stats_window_size)
    model.ep_success_buffer = deque(maxlen=model._stats_window_size)
    model.action_space.np_random.bit_generator.state = facts["action_space"]
    _load_generators(_within("generator", arrays), facts["numpy"])
    return facts["extra"]


def world_env(model: BaseAlgorithm) -> Any:
    """The env that `model` trains on, below its wrappers; its `batch` has the lifetimes."""
    env: Any = model.env
    while isinstance(env, VecEnvWrapper):
        env = env.venv
    return env


def _optimizer_state(model: BaseAlgorithm) -> dict[str, torch.Tensor]:
    state = model.policy.optimizer.state_dict()["state"]
    return {
        f"{index}/{name}": torch.as_tensor(value)
        for index, row in state.items()
        for name, value in row.items()
    }


def _load_optimizer(model: BaseAlgorithm, tensors: dict[str, torch.Tensor]) -> None:
    # the groups hold settings, which the model was built with, and the learning rate, which SB3
    # sets before each update
    optimizer = model.policy.optimizer
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split("/")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict(
        {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
    )


def _last(model: BaseAlgorithm) -> Arrays:
    last = {"obs": model._last_obs, "episode_starts": model._last_episode_starts}
    memory = getattr(model, "_last_lstm_states", None)
    if memory is not None:
        parts = [*memory.pi, *memory.vf]
        last |= {f"memory{i}": part.cpu().numpy() for i, part in enumerate(parts)}
    return last


def _load_last(model: Any, last: Arrays) -> None:
    model._last_obs, model._last_episode_starts = last["obs"], last["episode_starts"]
    model._last_original_obs = None
    memory = getattr(model, "_last_lstm_states", None)
    if memory is not None:
        parts = [torch.as_tensor(last[f"memory{i}"], device=model.device) for i in range(4)]
        model._last_lstm_states = type(memory)(tuple(parts[:2]), tuple(parts[2:]))


def _buffer(model: Any) -> Arrays:
    """The replay so far, or the steps that wait for their rewards under `window:M`."""
    replay = getattr(model, "replay_buffer", None)
    if replay is None:
        return model.pending_steps
    rows = replay.buffer_size if replay.full else replay.pos
    kept = {name: getattr(replay, name)[:rows] for name in REPLAY}
    return {**kept, "pos": np.array(replay.pos), "full": np.array(replay.full)}


def _load_buffer(model: Any, arrays: Arrays) -> None:
    replay = getattr(model, "replay_buffer", None)
    if replay is None:
        model.pending_steps = arrays
        return
    for name in REPLAY:
        getattr(replay, name)[: len(arrays[name])] = arrays[name]
    replay.pos, replay.full = int(arrays["pos"]), bool(arrays["full"])


def _generators(model: BaseAlgorithm) -> Arrays:
    version, words, gauss = random.getstate()
    assert (version, gauss) == (3, None)
    states = {
        "torch": torch.random.get_rng_state().numpy(),
        "numpy": _numpy_state()["key"],
        "python": np.array(words, dtype=np.int64),
    }
    if model.device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(model.device).numpy()
    return states  # type: ignore[return-value]


def _load_generators(states: Arrays, position: int) -> None:
    torch.random.set_rng_state(torch.from_numpy(states["torch"]))
    state = {"key": states["numpy"], "pos": position}
    np.random.set_state({**_LEGACY, "state": state})  # noqa: NPY002
    random.setstate((3, tuple(map(int, states["python"])), None))
    if "cuda" in states:
        torch.cuda.set_rng_state(torch.from_numpy(states["cuda"]))


def _numpy_state() -> dict[str, Any]:
    state: Any = np.random.get_state(legacy=False)  # noqa: NPY002 draws from it
    return state["state"]


def _nested(prefix: str, tensors: dict[str, Any]) -> Arrays:
    return {f"{prefix}/{name}": value.detach().cpu().numpy() for name, value in tensors.items()}


def _prefixed(prefix: str, arrays: Arrays) -> Arrays:
    return {f"{prefix}/{name}": np.asarray(array) for name, array in arrays.items()}


def _within(prefix: str, arrays: Arrays) -> Arrays:
    start = prefix + "/"
    return {name[len(start) :]: array for name, array in arrays.items() if name.startswith(start)}


def _tensors(arrays: Arrays) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _plain(value: Any) -> Any:
    """A generator's state as JSON: numpy integers as ints."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return int(value) if isinstance(value, np.integer) else value
