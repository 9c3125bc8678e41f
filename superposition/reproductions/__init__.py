"""Published results beside ours; a new family is a file here that registers one."""

from myopia.superposition.reproductions import audit, s_curves, toy_models
from myopia.superposition.reproductions.reproduction import (
    FAMILIES,
    ReproductionRow,
    ReproductionSource,
    family,
    within,
)

__all__ = [
    "FAMILIES",
    "ReproductionRow",
    "ReproductionSource",
    "audit",
    "family",
    "s_curves",
    "toy_models",
    "within",
]
