"""Experiments on toy models; a new one is a file here that registers a function."""

from myopia.superposition.toy.experiments import (
    absolute,
    adversarial,
    capability,
    components,
    correlated,
    dynamics,
    monosemantic,
    pentagon,
    phases,
    sparsity,
)
from myopia.superposition.toy.experiments.experiment import EXPERIMENTS, Experiment, Result

__all__ = [
    "EXPERIMENTS",
    "Experiment",
    "Result",
    "absolute",
    "adversarial",
    "capability",
    "components",
    "correlated",
    "dynamics",
    "monosemantic",
    "pentagon",
    "phases",
    "sparsity",
]
