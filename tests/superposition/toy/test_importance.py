"""A loss weighed by anything but finite numbers from 0 on has no least value."""

import pytest
import torch

from myopia.superposition.toy.data import Features
from myopia.superposition.toy.experiments.pentagon import pentagon
from myopia.superposition.toy.model import Shape
from myopia.superposition.toy.train import Training, evaluate, train


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf"), -float("inf"), -1e-9])
def test_importance_is_checked(wrong: float) -> None:
    features, shape, training = Features(3, (0.5,)), Shape(3, 2), Training(steps=1, batch=4)
    model = train(shape, features, torch.tensor([1.0, 0.0, 0.5]), training)
    importance = torch.tensor([1.0, wrong, 0.5])
    for use in (
        lambda: train(shape, features, importance, training),
        lambda: train(shape, features, importance.expand(1, 3), training),
        lambda: evaluate(model, features, importance, seed=0),
    ):
        with pytest.raises(ValueError, match="importance must be finite and at least 0, got"):
            use()


def test_regular_ones_are_null_where_there_are_none() -> None:
    answer = pentagon(Training(steps=1)).answer
    assert answer["share of regular pentagons"] == 0
    assert answer["D_i of regular ones"] is None
    assert answer["dimensions per feature of regular ones"] is None
