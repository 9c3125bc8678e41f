"""Toy models of superposition: many instances trained as one tensor, and what theory says."""

from myopia.superposition.toy.data import Features
from myopia.superposition.toy.floors import Floor, check_floors
from myopia.superposition.toy.model import Model, Shape
from myopia.superposition.toy.optimum import expected_loss, optimum, superposition_boundary
from myopia.superposition.toy.train import Training, evaluate, train

__all__ = [
    "Features",
    "Floor",
    "Model",
    "Shape",
    "Training",
    "check_floors",
    "evaluate",
    "expected_loss",
    "optimum",
    "superposition_boundary",
    "train",
]
