"""Reading a stranger's zip: bounded in size, and never more than text and tensors.

A zip of Stable-Baselines3 holds `data`, JSON in which some values are pickles written as text, and
`policy.pth`, weights as torch saves them, which is a pickle too. Unpickling runs whatever the
author put there. Here the first kind is left as text, and the second is read by torch's loader for
weights, which knows how to make tensors and nothing else.
"""

import base64
import io
import json
import re
import zipfile
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import torch

from myopia.agents.policies.safe_pickle import read_pickle
from myopia.common.errors import first_line
from myopia.common.files import check_file

MOST_BYTES = 1 << 28
"""What may be unpacked from one archive: 256 MiB, far above any agent of these worlds."""

MOST_QUOTED = 200
"""Characters of what a reader says of a damaged file."""

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class SavedAgent(NamedTuple):
    """What can be read of a zip without running anything."""

    data: dict[str, Any]
    weights: dict[str, torch.Tensor]  # on the CPU
    last_observation: np.ndarray | None  # (envs, D), where it is there


def read_agent(path: Path) -> SavedAgent:
    """What `data` says in plain text, the weights, and what the agent saw last.

    A value of `data` that is pickled appears as the readable entries beside its pickle, without
    it. Raises ValueError where the file is no such zip, is damaged, unpacks to too much, or holds
    in the place of its weights anything but finite tensors; OSError where it cannot be read.
    """
    with check_file(path).open("rb") as file:
        data, policy = _unpack(file, f"{path}", ("data", "policy.pth"))
    try:
        plain = json.loads(data)
        if not isinstance(plain, dict):
            raise ValueError("expected an object")
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: its data is no JSON of Stable-Baselines3: {first_line(error)}"
        ) from None
    data = {name: _readable(value) for name, value in plain.items()}
    return SavedAgent(data, _weights(policy, path), _last_observation(plain))


def _last_observation(plain: dict[str, Any]) -> np.ndarray | None:
    """What SB3 keeps of it beside the settings, pickled; it is a hint, and may be missing."""
    said = plain.get("_last_obs")
    if not isinstance(said, dict) or not isinstance(said.get(":serialized:"), str):
        return None
    try:
        found = read_pickle(base64.b64decode(said[":serialized:"]))
    except ValueError:
        return None
    real = isinstance(found, np.ndarray) and found.dtype.kind in "fiu" and found.ndim == 2
    return found if real else None


def _read(archive: zipfile.ZipFile, member: str) -> bytes:
    """A member, whose size is counted while it is read: its entry may say anything."""
    with archive.open(member) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"{member!r} unpacks to more than {MOST_BYTES} bytes")
    return data


def _unpack(file: IO[bytes], name: str, members: tuple[str, ...]) -> list[bytes]:
    """These members of a zip, once its directory has been found harmless."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            total = sum(entry.file_size for entry in entries)
            if total > MOST_BYTES:
                raise ValueError(f"it unpacks to {total} bytes, expected at most {MOST_BYTES}")
            for entry in entries:
                if entry.flag_bits & 1 or entry.compress_type not in METHODS:
                    raise ValueError(f"{entry.filename!r} is encrypted or oddly compressed")
            for member in members:
                if member not in archive.namelist():
                    raise ValueError(f"it has no {member!r}")
            return [_read(archive, member) for member in members]
    except Exception as error:  # whatever a hostile file makes the reader stumble over
        raise ValueError(
            f"{name}: damaged, or no zip of Stable-Baselines3: {first_line(error)}"
        ) from None


def _readable(value: Any) -> Any:
    """The entries beside a pickle; what is not pickled stays as it is."""
    if isinstance(value, dict) and ":serialized:" in value:
        return {key: entry for key, entry in value.items() if key != ":serialized:"}
    return value


def read_tensors(path: Path, member: str) -> Any:
    """What torch saved as `member` of a zip: tensors, numbers and text in lists and dicts.

    Raises ValueError where it is damaged or holds anything else; OSError where it cannot be read.
    """
    with check_file(path).open("rb") as file:
        (data,) = _unpack(file, f"{path}", (member,))
    return _load(data, member, path)


def _weights(policy: bytes, path: Path) -> dict[str, torch.Tensor]:
    weights = _load(policy, "policy.pth", path)
    _check_weights(weights, len(policy), f"policy.pth in {path}")
    return dict(weights)


def _load(policy: bytes, member: str, path: Path) -> Any:
    # torch's format is a zip again since 1.6, and a row of pickles before
    if policy.startswith(b"PK"):
        _unpack(io.BytesIO(policy), f"{member} in {path}", ())
    try:
        return torch.load(io.BytesIO(policy), map_location="cpu", weights_only=True)
    except Exception as error:  # as above
        wanted = re.search(r"GLOBAL (\S+)", str(error))
        asked = f" (it asks for {wanted[1]})" if wanted else ""
        raise ValueError(
            f"{path}: {member} holds something other than weights{asked}; expected tensors "
            "only, and nothing in it was run"
        ) from None


def _check_weights(weights: Any, most: int, name: str) -> None:
    """Named, finite, dense and real tensors that are no larger than the file they come from."""
    if not isinstance(weights, dict) or not all(isinstance(key, str) for key in weights):
        raise ValueError(f"{name}: expected names with tensors, got {type(weights).__name__}")
    total = 0
    for key, weight in weights.items():
        if not isinstance(weight, torch.Tensor):
            raise ValueError(f"{name}: {key} is a {type(weight).__name__}, expected a tensor")
        if weight.layout is not torch.strided or not weight.dtype.is_floating_point:
            raise ValueError(f"{name}: {key} is no dense tensor of real numbers")
        total += weight.numel() * weight.element_size()
        if not weight.numel() or total > most:  # a view can claim any size without holding it
            raise ValueError(
                f"{name}: {key} claims the shape {tuple(weight.shape)}, but is not there"
            )
        if not weight.isfinite().all():
            raise ValueError(f"{name}: {key} holds NaN or infinity, expected finite weights")
