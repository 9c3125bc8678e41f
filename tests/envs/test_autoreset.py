"""A batch resets itself as Gymnasium's vector of single envs does, in every mode."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from myopia.envs import World, make_world
from myopia.envs.env import EpochEnv
from myopia.envs.vector import EpochVectorEnv

N, STEPS = 4, 60
WORLDS = {
    "looked up": ("Investment", {"max_epochs": 4, "schedule": "linear:cutoff=3"}),
    "chance": ("Offers", {"max_epochs": 4, "schedule": "linear:cutoff=3"}),
    "noise": ("Work", {"max_epochs": 4, "schedule": "constant", "index": "noisy:width=1"}),
    "boundary": ("Investment", {"max_epochs": 3, "schedule": "constant", "shutdown": "boundary"}),
}


def world_of(kind: str) -> World:
    name, dials = WORLDS[kind]
    return make_world(name, **dials)


def sides(world: World, mode: AutoresetMode) -> tuple[SyncVectorEnv, EpochVectorEnv]:
    one = SyncVectorEnv(
        [lambda: EpochEnv(world, episode_info=True) for _ in range(N)], autoreset_mode=mode
    )
    return one, EpochVectorEnv(world, N, autoreset_mode=mode)


def check_step(one, other) -> None:
    for left, right in zip(one[:4], other[:4], strict=True):
        np.testing.assert_array_equal(left, right)
    check_infos(one[4], other[4])


def check_infos(left: dict, right: dict) -> None:
    """The same entries where they are marked; entries that always hold need no mark.

    Where the next lifetime began in the same step, Gymnasium's top level is the reset's info, ours
    that of the step taken; `final_info` is that of the step for both.
    """
    assert ("final_obs" in left) == ("final_obs" in right)
    over = left.get("_final_info", np.zeros(N, dtype=bool))
    if over.any():
        check_infos(left["final_info"], right["final_info"])
    else:
        assert ("episode" in left) == ("episode" in right)
    for name in ("epoch", "payoff", "epoch_end", "epoch_payoff", "stop_epoch"):
        if name not in left:
            continue
        marked = left[f"_{name}"] & ~over
        np.testing.assert_array_equal(left[name][marked], right[name][marked])
        if f"_{name}" in right and name != "epoch_payoff":
            np.testing.assert_array_equal(right[f"_{name}"] & ~over, marked)
    if "episode" in left:
        marked = left["_episode"]
        np.testing.assert_array_equal(right["_episode"], marked)
        for name in "rl":
            np.testing.assert_allclose(
                left["episode"][name][marked], right["episode"][name][marked], rtol=1e-6
            )
    if "final_obs" in left:
        for env in np.flatnonzero(left["_final_obs"]):
            np.testing.assert_array_equal(left["final_obs"][env], right["final_obs"][env])


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("kind", WORLDS)
def test_lifetimes_are_those_of_single_envs(kind: str, mode: AutoresetMode) -> None:
    world, rng = world_of(kind), np.random.default_rng(0)
    one, other = sides(world, mode)
    np.testing.assert_array_equal(one.reset(seed=3)[0], other.reset(seed=3)[0])
    ended = np.zeros(N, dtype=bool)
    lives = 0
    for _ in range(STEPS):
        if mode is AutoresetMode.DISABLED and ended.any():
            again = {"reset_mask": ended.copy()}
            left, right = one.reset(options=dict(again)), other.reset(options=again)
            np.testing.assert_array_equal(left[0], right[0])
            np.testing.assert_array_equal(left[1]["_epoch"], right[1]["_epoch"])
            np.testing.assert_array_equal(again["reset_mask"], ended)
        actions = rng.integers(len(world.actions), size=N)
        left, right = one.step(actions), other.step(actions)
        check_step(left, right)
        ended = right[2]
        lives += int(ended.sum())
    assert lives > N


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("kind", WORLDS)
def test_any_reset_in_the_middle(kind: str, mode: AutoresetMode) -> None:
    """Whole or masked, seeded or not, with lifetimes that are over and others that are not."""
    world, rng = world_of(kind), np.random.default_rng(1)
    one, other = sides(world, mode)
    one.reset(seed=5), other.reset(seed=5)
    ended = np.zeros(N, dtype=bool)
    for step in range(STEPS):
        actions = rng.integers(len(world.actions), size=N)
        if mode is AutoresetMode.DISABLED or step % 7 == 3:
            mask = ended | (rng.random(N) < 0.3) if step % 3 else np.ones(N, dtype=bool)
            seed = None if step % 5 else [int(x) for x in rng.integers(99, size=N)]
            if mask.any():
                options = {} if mask.all() and step % 2 else {"reset_mask": mask}
                left = one.reset(seed=seed, options=dict(options))
                right = other.reset(seed=seed, options=options)
                np.testing.assert_array_equal(left[0], right[0])
        left, right = one.step(actions), other.step(actions)
        check_step(left, right)
        ended = right[2]


@pytest.mark.parametrize("mode", ["NEXT_STEP", "NextStep", AutoresetMode.NEXT_STEP])
def test_a_mode_by_name_value_or_member(mode) -> None:
    env = gym.make_vec(
        "myopia/Work-v0", 2, vectorization_mode="vector_entry_point", autoreset_mode=mode
    )
    assert env.unwrapped.autoreset_mode is AutoresetMode.NEXT_STEP
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert EpochVectorEnv("Work", 2).metadata["autoreset_mode"] is AutoresetMode.SAME_STEP


def test_bad_modes_masks_and_steps() -> None:
    with pytest.raises(ValueError, match="unknown autoreset_mode 'nextstep', did you mean"):
        EpochVectorEnv("Work", 2, autoreset_mode="nextstep")
    env = EpochVectorEnv("Work", 2, autoreset_mode="DISABLED")
    with pytest.raises(ValueError, match="first reset is one of every env"):
        env.reset(options={"reset_mask": np.array([True, False])})
    env.reset(seed=0)
    for mask in ([True], [1, 0], [False, False], "ab", None):
        with pytest.raises(ValueError, match="reset_mask: expected 2 booleans"):
            env.reset(options={"reset_mask": mask})
    env.step(np.array([env.world.actions.index("shutdown"), 0]))
    with pytest.raises(gym.error.ResetNeeded, match="lifetime of env 0 is over"):
        env.step(np.array([0, 0]))
    env.reset(options={"reset_mask": [True, False]})
    env.step(np.array([0, 0]))
    with pytest.raises(ValueError, match="render_mode='rgb_array' at"):
        env.render()


def test_a_limit_on_steps_says_how() -> None:
    with pytest.raises(ValueError, match=r"expected these dials, or vectorization_mode='sync'"):
        gym.make_vec(
            "myopia/Work-v0", 2, vectorization_mode="vector_entry_point", max_episode_steps=5
        )


def test_a_batch_renders_a_frame_of_each_env() -> None:
    env = EpochVectorEnv("Orchard", 3, render_mode="rgb_array")
    with pytest.raises(gym.error.ResetNeeded):
        env.render()
    env.reset(seed=0)
    frames = env.render()
    assert len(frames) == 3
    single = EpochEnv("Orchard", render_mode="rgb_array")
    single.reset(seed=0)
    np.testing.assert_array_equal(frames[0], single.render())
