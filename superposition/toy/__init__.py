"""Toy models of superposition: many instances trained as one tensor, and what theory says."""

from myopia.superposition.toy.data import Features
from myopia.superposition.toy.lower_bounds import LowerBound, check_lower_bounds
from myopia.superposition.toy.model import Shape, ToyModel
from myopia.superposition.toy.optimum import expected_loss, optimum, superposition_boundary
from myopia.superposition.toy.train import Training, evaluate, train

__all__ = [
    "Features",
    "LowerBound",
    "Shape",
    "ToyModel",
    "Training",
    "check_lower_bounds",
    "evaluate",
    "expected_loss",
    "optimum",
    "superposition_boundary",
    "train",
]
