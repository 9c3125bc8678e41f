"""Gymnasium's and SB3's own checkers have nothing to say."""

import itertools
import warnings

import gymnasium as gym
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as sb3_check_env

import myopia.envs  # noqa: F401

MODES = {
    "index": ["exact", "hidden", "noisy:width=1", "frozen:at=0", "offset:by=2"],
    "index_encoding": ["onehot", "scalar"],
    "channel": ["open", "severed"],
    "shutdown": ["anytime", "boundary", "never", "absent"],
}
ALL = [dict(zip(MODES, values, strict=True)) for values in itertools.product(*MODES.values())]


def pairwise() -> list[dict]:
    """Few combinations in which every pair of values of two modes occurs."""
    missing = {
        ((a, x), (b, y))
        for a, b in itertools.combinations(MODES, 2)
        for x, y in itertools.product(MODES[a], MODES[b])
    }
    chosen = []
    while missing:
        best = max(ALL, key=lambda row: len(missing & pairs(row)))
        missing -= pairs(best)
        chosen.append(best)
    return chosen


def pairs(row: dict) -> set:
    return set(itertools.combinations(row.items(), 2))


def check_silently(world_name: str, modes: dict) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make(f"myopia/{world_name}-v0", **modes)
        check_env(env.unwrapped, skip_render_check=True)
        sb3_check_env(env)


def test_pairwise(world_name: str) -> None:
    rows = pairwise()
    assert len(rows) < len(ALL) / 2
    for modes in rows:
        check_silently(world_name, modes)


@pytest.mark.slow
@pytest.mark.parametrize("modes", ALL, ids=lambda modes: "-".join(modes.values()))
def test_every_combination(world_name: str, modes: dict) -> None:
    check_silently(world_name, modes)


def test_rendering_modes_pass_the_checker() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gym.make("myopia/Orchard-v0", render_mode="rgb_array").unwrapped)
