"""Numbered observations: each number is the observation that it stands for."""

import numpy as np
import pytest
import torch

from myopia.envs import make_world
from myopia.envs.dynamics import dynamics_of
from myopia.envs.observer import observer_of
from myopia.envs.tensor import TorchBackend

INDEX = ("exact", "hidden", "noisy:width=1", "frozen:at=3", "offset:by=4")


@pytest.mark.parametrize("encoding", ["onehot", "scalar"])
@pytest.mark.parametrize("index", INDEX)
def test_numbers_stand_for_observations(world_name: str, index: str, encoding: str) -> None:
    world = make_world(world_name, index=index, index_encoding=encoding)
    rng = np.random.default_rng(0)
    cells, drawn = rng.integers(0, dynamics_of(world).cells, 300), rng.integers(0, 1 << 32, 300)
    observer = observer_of(world)
    numbers = observer.number(cells, lambda stream: drawn, 0)
    seen = observer.observe(cells, lambda stream: drawn, 0)
    np.testing.assert_array_equal(observer.observations(numbers), seen)
    assert numbers.min() >= 0
    assert numbers.max() < observer.count
    # equal observations have equal numbers
    assert len(np.unique(numbers)) == len(np.unique(seen, axis=0))
    on_torch = observer_of(world, TorchBackend.on(torch.device("cpu")))
    there = on_torch.number(torch.tensor(cells), lambda stream: torch.tensor(drawn), 0)
    np.testing.assert_array_equal(there.numpy(), numbers)
    np.testing.assert_array_equal(on_torch.observations(there).numpy(), seen)


def test_what_is_not_shown_is_not_counted() -> None:
    """Investment has 28 states, 4 steps and 12 epochs, and one row after the last."""
    assert observer_of(make_world("Investment")).count == 28 * 4 * 13
    assert observer_of(make_world("Investment", index="hidden")).count == 28 * 4
    assert observer_of(make_world("Investment", index="hidden", observe_state=False)).count == 4
