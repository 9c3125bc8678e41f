"""What SB3's `VecNormalize` did to the observations that an agent was trained on."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from myopia.agents.policies.safe_pickle import Kept, read_pickle
from myopia.common.files import check_file

MOST_BYTES = 1 << 26


@dataclasses.dataclass(frozen=True)
class Normalization:
    """Calling it maps observations (n, D) to what the policy was given, (n, D) float32."""

    mean: np.ndarray
    var: np.ndarray
    epsilon: float
    clip: float

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        """Centred, scaled and clipped, as `VecNormalize.normalize_obs` does it."""
        scaled = (observations - self.mean) / np.sqrt(self.var + self.epsilon)
        return np.clip(scaled, -self.clip, self.clip).astype(np.float32)


def read_normalization(path: Path, width: int) -> Normalization | None:
    """The statistics that `VecNormalize.save` wrote, for observations of `width` entries.

    None where it normalised no observations. Nothing is unpickled but arrays and numbers. Raises
    ValueError where the file is no such thing, or is of other observations; OSError where it
    cannot be read.
    """
    if check_file(path).stat().st_size > MOST_BYTES:
        raise ValueError(f"{path}: expected at most {MOST_BYTES} bytes of VecNormalize")
    try:
        found = read_pickle(path.read_bytes())
        if not isinstance(found, Kept) or not hasattr(found, "norm_obs"):
            raise ValueError("expected what VecNormalize.save writes")
        if not found.__dict__["norm_obs"]:
            return None
        return _checked(found.__dict__, width)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: no statistics of VecNormalize: {error}") from None


def _checked(entries: dict[str, Any], width: int) -> Normalization:
    statistics = entries["obs_rms"].__dict__
    mean, var = (np.asarray(statistics[name], dtype=float) for name in ("mean", "var"))
    for name, values in (("mean", mean), ("var", var)):
        if values.shape != (width,):
            raise ValueError(
                f"its {name} has the shape {values.shape}, expected {(width,)} of this world"
            )
    epsilon, clip = (float(entries[name]) for name in ("epsilon", "clip_obs"))
    numbers = np.concatenate([mean, var, [epsilon, clip]])
    if not np.isfinite(numbers).all() or (var < 0).any() or epsilon <= 0 or clip <= 0:
        raise ValueError("expected finite numbers, positive but for the mean")
    return Normalization(mean, var, epsilon, clip)
