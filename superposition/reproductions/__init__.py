"""Published results beside ours; a new family is a file here that registers one."""

from myopia.superposition.reproductions import audit, s_curves, toy_models
from myopia.superposition.reproductions.registry import FAMILIES, Family, Row, family, within

__all__ = ["FAMILIES", "Family", "Row", "audit", "family", "s_curves", "toy_models", "within"]
