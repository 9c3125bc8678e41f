"""Our PPO and SB3's learn alike: their curves over seeds cannot be told apart."""

import numpy as np
import pytest

from myopia.cli.benchmarks.curves import figure, learning_curves, p_value
from myopia.envs import make_world


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Investment", "Work"])
def test_ten_seeds_cannot_be_told_apart(name: str) -> None:
    assert p_value(*learning_curves(make_world(name), 102_400)) > 0.05


def test_few_seeds_cannot_be_told_apart_and_other_settings_can() -> None:
    world = make_world("Work")
    ours, theirs = learning_curves(world, 30_720, seeds=4)
    assert ours.shape == theirs.shape == (4, 3)
    assert p_value(ours, theirs) > 0.05
    _, slower = learning_curves(world, 30_720, seeds=4, learning_rate=1e-4)
    assert p_value(ours, slower) < 0.05


def test_p_values_of_curves_that_differ_and_that_do_not() -> None:
    rng = np.random.default_rng(0)
    same = rng.normal(size=(2, 10, 5)).cumsum(axis=2)
    assert p_value(*same) > 0.05
    assert p_value(same[0], same[1] + 5.0) < 0.001
    # uniform where nothing differs
    values = [p_value(*rng.normal(size=(2, 6, 4))) for _ in range(20)]
    assert 0.2 < np.mean(values) < 0.8


def test_the_figure_is_drawn(tmp_path) -> None:
    found = np.ones((2, 3, 4)).cumsum(axis=2)
    figure(make_world("Work"), 4000, tuple(found), tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5000
