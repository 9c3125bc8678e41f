"""A run between two rollouts, kept so that it goes on as if it had never stopped.

One safetensors file holds every array (policy, optimiser, replay, lifetimes under way, generators)
and, as JSON in its header, the counters: no pickle, and it is replaced in one step.
"""

import copy
import hashlib
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

from myopia.agents.runs.optimizer_state import load_optimizer, optimizer_layout, optimizer_state
from myopia.common.errors import first_line
from myopia.common.files import check_file, write_whole
from myopia.envs.credit.credit import Credit

COUNTERS = (
    *("num_timesteps", "_total_timesteps", "_n_updates", "_current_progress_remaining"),
    *("_episode_num", "_n_calls", "exploration_rate", "ent_coef", "rollouts"),
)
"""Attributes of SB3's models that are numbers; each model has some of them, and no others are set.

A file that named another one could set the folder that logs are written to.
"""

REPLAY = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")

MOST_BYTES = 1 << 36
"""Of a checkpoint: a large replay buffer has gigabytes."""

_LEGACY = {"bit_generator": "MT19937", "has_gauss": 0, "gauss": 0.0}

Arrays = dict[str, np.ndarray]


def save_checkpoint(path: Path, model: BaseAlgorithm, run: str, extra: dict[str, Any]) -> None:
    """Write `model`, as it is before a rollout, to `path`; `run` names the run that it is of.

    `extra` is what else must go on, as JSON.
    """
    arrays = {
        **_nested("policy", model.policy.state_dict()),
        **_nested("optimizer", optimizer_state(model.policy.optimizer)),
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
    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    text = json.dumps(facts)
    metadata = {"facts": text, "checksum": checksum(arrays, text)}
    write_whole(path, lambda temporary: save_file(arrays, temporary, metadata=metadata))


def load_checkpoint(
    path: Path,
    model: BaseAlgorithm,
    runs: Sequence[str],
    whole: Path | None = None,
) -> dict[str, Any]:
    """Put `model`, freshly built for the same run, where `save_checkpoint` left it.

    `runs` are the names that the run may have in it. Returns `extra`. `whole` is the folder of a
    checkpoint of which `path` is a part. Raises ValueError, before the model is touched, where the
    file is damaged or of another run.
    """
    try:
        facts, arrays = _read(path)
        if facts["run"] in runs:
            _check_facts(facts, model)
            _check_layout(arrays, model, facts["counters"].get("_n_updates", 0) > 0)
    except DamagedError as damage:
        raise ValueError(
            f"{path} is damaged ({damage}): delete {whole or 'it'} to train from the start"
        ) from None
    if facts["run"] not in runs:
        raise ValueError(f"{path} is of the run {facts['run']}, expected {runs[0]}")
    model.policy.load_state_dict(_tensors(_within("policy", arrays)))
    load_optimizer(model.policy.optimizer, _tensors(_within("optimizer", arrays)))
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


class DamagedError(ValueError):
    """What is wrong with a checkpoint, in a few words."""


def _read(path: Path) -> tuple[dict[str, Any], Arrays]:
    """The facts and the arrays of a file, as they were written."""
    try:
        with safe_open(check_file(path, MOST_BYTES), framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        text = metadata["facts"]
        facts = json.loads(text)
    except KeyError as error:
        raise DamagedError(f"its header has no {error}") from None
    except (SafetensorError, TypeError, ValueError, OSError, RecursionError) as error:
        raise DamagedError(first_line(error)) from None
    if metadata.get("checksum") != checksum(arrays, text):
        raise DamagedError("its checksum is not that of what it holds")
    if not isinstance(facts, dict) or not isinstance(facts.get("run"), str):
        raise DamagedError("it names no run")
    return facts, arrays


def checksum(arrays: Arrays, facts: str) -> str:
    """SHA-256 of all arrays, with their names, kinds and shapes, and of the facts beside them."""
    digest = hashlib.sha256(facts.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _check_layout(arrays: Arrays, model: BaseAlgorithm, learned: bool) -> None:
    """Raise DamagedError where names, shapes or kinds are not those that `model` would write.

    `learned`: whether its optimiser has made a step, and so has a state.
    """
    expected = {
        **_nested("policy", model.policy.state_dict()),
        **_prefixed("last", _last_layout(model)),
        **_prefixed("generator", _generators(model)),
    }
    if learned or any(name.startswith("optimizer/") for name in arrays):
        expected |= _nested("optimizer", optimizer_layout(model.policy.optimizer))
    _check_all(arrays, expected)
    for name in arrays:
        if name not in expected and not name.startswith(("buffer/", "env/")):
            raise DamagedError(f"nothing is expected under the name {name[:80]!r}")
    try:
        world_env(model).batch.check_state(_within("env", arrays))
    except ValueError as error:
        raise DamagedError(f"its lifetimes: {error}") from None
    _check_buffer(_within("buffer", arrays), model)


def _check_all(arrays: Arrays, expected: Arrays) -> None:
    for name, like in expected.items():
        if name not in arrays:
            raise DamagedError(f"{name} is missing")
        _check_like(name, arrays[name], like.shape, like.dtype)


def _check_like(name: str, array: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if array.shape != tuple(shape):
        raise DamagedError(f"{name} has the shape {array.shape}, expected {tuple(shape)}")
    if array.dtype != dtype:
        raise DamagedError(f"{name} is {array.dtype}, expected {dtype}")


def _last_layout(model: BaseAlgorithm) -> Arrays:
    shape = model.observation_space.shape or ()
    seen = {
        "obs": np.empty((model.n_envs, *shape), dtype=model.observation_space.dtype),
        "episode_starts": np.empty(model.n_envs, dtype=bool),
    }
    return {**_last(model), **seen}


def _check_buffer(arrays: Arrays, model: Any) -> None:
    replay = getattr(model, "replay_buffer", None)
    if replay is None:
        expected, most = model.waiting_layout(), Credit.of(model.credit).pending
        if not arrays:
            return
        if arrays.keys() != expected.keys():
            raise DamagedError(
                f"steps that wait have the columns {', '.join(sorted(arrays))[:200]}"
            )
        for name, array in arrays.items():
            if array.shape[:1] != (most,):
                raise DamagedError(f"buffer/{name} has {array.shape[:1]} rows, expected {most}")
            shape, dtype = expected[name]
            _check_like(f"buffer/{name}", array, (most, *shape), dtype)
        return
    for name in {*REPLAY, "pos", "full"} - arrays.keys():
        raise DamagedError(f"buffer/{name} is missing")
    for name in arrays.keys() - {*REPLAY, "pos", "full"}:
        raise DamagedError(f"nothing is expected under the name buffer/{name[:80]}")
    _check_like("buffer/pos", arrays["pos"], (), np.dtype(np.int64))
    _check_like("buffer/full", arrays["full"], (), np.dtype(bool))
    pos, full = int(arrays["pos"]), bool(arrays["full"])
    if not 0 <= pos < replay.buffer_size:
        raise DamagedError(f"buffer/pos is {pos}, expected 0..{replay.buffer_size - 1}")
    rows = replay.buffer_size if full else pos
    for name in REPLAY:
        whole = getattr(replay, name)
        _check_like(f"buffer/{name}", arrays[name], (rows, *whole.shape[1:]), whole.dtype)


def _check_facts(facts: dict[str, Any], model: BaseAlgorithm) -> None:
    """Raise DamagedError where what is beside the arrays is not what `save_checkpoint` writes."""
    counters, episodes = facts.get("counters"), facts.get("episodes")
    if not isinstance(counters, dict):
        raise DamagedError("it has no counters")
    for name, value in counters.items():
        if name not in COUNTERS or not _is_number(value):
            raise DamagedError(
                f"counter {name[:80]!r} is {str(value)[:80]!r}, expected numbers named "
                f"{', '.join(COUNTERS)}"
            )
    for name in COUNTERS:
        if hasattr(model, name) and name not in counters:
            raise DamagedError(f"counter {name} is missing")
    if not isinstance(episodes, list) or not all(
        isinstance(one, dict) and one.keys() >= {"r", "l"} and all(map(_is_number, one.values()))
        for one in episodes
    ):
        raise DamagedError("its episodes are no list of rewards and lengths")
    generator = copy.deepcopy(model.action_space.np_random.bit_generator)
    try:
        generator.state = facts.get("action_space") or {}
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise DamagedError(f"the generator of actions: {first_line(error)}") from None
    position, extra = facts.get("numpy"), facts.get("extra")
    if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position <= 624:
        raise DamagedError(f"numpy's generator is at {str(position)[:80]}, expected 0..624")
    if not isinstance(extra, dict) or not _is_number(extra.get("seconds")):
        raise DamagedError("it does not say how long the training took")


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e18
    )  # NaN is not less than anything


def world_env(model: BaseAlgorithm) -> Any:
    """The env that `model` trains on, below its wrappers; its `batch` has the lifetimes."""
    env: Any = model.env
    while isinstance(env, VecEnvWrapper):
        env = env.venv
    return env


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
