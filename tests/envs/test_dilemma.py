"""Dilemma by hand, on both sides of the paper: cooperating costs something now, or pays at once."""

import numpy as np
import pytest

from myopia.analysis.exact.oracle import optimal_actions
from myopia.envs import make_world
from myopia.envs.env import EpochEnv


@pytest.mark.parametrize("beta", [-1, -0.5, 0, 0.5, 1])
def test_payoffs(beta: float) -> None:
    """Last + beta + base for cooperating, last + base for defecting (arXiv 2009.09153)."""
    env = EpochEnv("Dilemma", beta=beta, base=-0.5, schedule="constant", shutdown="absent")
    env.reset(seed=0)
    cooperate, defect = range(2)
    course = (cooperate, cooperate, defect, defect, cooperate)
    paid = [env.step(action)[1] for action in course]
    np.testing.assert_allclose(paid, [beta - 0.5, beta + 0.5, 0.5, -0.5, beta - 0.5])


@pytest.mark.parametrize("delta", [0.0, 0.5, 1.0])
def test_where_cooperating_pays_at_once_no_foresight_is_needed(delta: float) -> None:
    world = make_world("Dilemma", beta=0.5, schedule="constant")
    assert optimal_actions(world, delta)[..., 0].all()
    assert not optimal_actions(world, delta)[..., 1].any()


@pytest.mark.parametrize("beta", [-1.1, 1.1, float("nan")])
def test_beta_lies_between_minus_1_and_1(beta: float) -> None:
    with pytest.raises(ValueError, match=r"beta must lie in -1\.\.1"):
        make_world("Dilemma", beta=beta)
