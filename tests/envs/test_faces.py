"""Every face of a world plays the same lifetimes as the slow interpreter of its task."""

import numpy as np
import pytest
import torch
from gymnasium.spaces import Discrete
from gymnasium.utils.seeding import np_random
from hypothesis import given, settings
from support.interpreter import Interpreter
from support.random_task import worlds

from myopia.envs import World, make_world
from myopia.envs.batch import Batch
from myopia.envs.env import EpochEnv
from myopia.envs.lookup import LookupBatch, lookup_fits
from myopia.envs.randomness import draw_key
from myopia.envs.sb3 import WorldVecEnv
from myopia.envs.tensor import TensorBatch
from myopia.envs.vector import EpochVectorEnv, keys_from

N, STEPS, SEED = 3, 40, 7


def actions_for(world: World) -> np.ndarray:
    """Random actions, (STEPS, N), shutdown rare so that lifetimes get somewhere."""
    rng = np.random.default_rng(0)
    chance = np.array([0.05 if name == "shutdown" else 1.0 for name in world.actions])
    own = chance == 1
    chance[own] = (1 - chance[~own].sum()) / own.sum()
    return rng.choice(len(chance), size=(STEPS, N), p=chance)


def played_slowly(world: World) -> Interpreter:
    """Where shutdown is absent, the world is the one in which it is never allowed, nor chosen."""
    absent = world.shutdown == "absent"
    return Interpreter(world.replace(shutdown="never") if absent else world)


def check_all_faces(world: World) -> None:
    vector, tensor, native = EpochVectorEnv(world, N), TensorBatch(world, N), WorldVecEnv(world, N)
    singles = [EpochEnv(world, episode_info=True) for _ in range(N)]
    slow = [played_slowly(world) for _ in range(N)]
    own = len(world.task.actions)
    assert world.actions[:own] == tuple(world.task.actions)
    assert world.actions[own:] == (() if world.shutdown == "absent" else ("shutdown",))
    assert native.action_space == vector.single_action_space == singles[0].action_space
    assert native.action_space == Discrete(len(world.actions))
    assert tensor.num_actions == len(world.actions)
    keys = [draw_key(np_random(SEED + i)[0]) for i in range(N)]
    lifetimes = [0] * N
    native.seed(SEED)
    first = [one.reset(key, 0) for one, key in zip(slow, keys, strict=True)]
    for seen in (
        vector.reset(seed=SEED)[0],
        tensor.reset(SEED).numpy(),
        native.reset(),
        np.stack([env.reset(seed=SEED + i)[0] for i, env in enumerate(singles)]),
    ):
        np.testing.assert_array_equal(seen, first)
    for actions in actions_for(world):
        mask = np.ones((N, len(world.actions)), dtype=bool)
        if world.shutdown != "absent":
            mask[:, -1] = [
                {"anytime": True, "boundary": one.t == 0, "never": False}[world.shutdown]
                for one in slow
            ]
        np.testing.assert_array_equal(vector.action_masks(), mask, strict=True)
        np.testing.assert_array_equal(native.action_masks(), mask, strict=True)
        np.testing.assert_array_equal(tensor.action_masks().numpy(), mask, strict=True)
        single = np.stack([env.action_masks() for env in singles])
        np.testing.assert_array_equal(single, mask, strict=True)
        told = [one.step(int(action)) for one, action in zip(slow, actions, strict=True)]
        final = np.stack([one["observation"] for one in told])
        after = final.copy()
        for i, one in enumerate(told):
            if one["ended"]:
                lifetimes[i] += 1
                after[i] = slow[i].reset(keys[i], lifetimes[i])
        by_vector(vector.step(actions), told, final, after)
        by_tensor(tensor.step(torch.as_tensor(actions)), told, final, after)
        by_native(native.step(actions), told, final, after)
        for i, env in enumerate(singles):
            by_single(env, int(actions[i]), told[i], after[i])


def by_vector(step, told, final, after) -> None:
    observation, reward, terminated, truncated, infos = step
    np.testing.assert_array_equal(observation, after)
    np.testing.assert_array_equal(reward, [one["reward"] for one in told])
    np.testing.assert_array_equal(terminated, [one["ended"] for one in told])
    assert not truncated.any()
    for name in ("epoch", "payoff", "epoch_end"):
        np.testing.assert_array_equal(infos[name], [one[name] for one in told])
    if any(one["ignored"] for one in told):
        np.testing.assert_array_equal(infos["shutdown_ignored"], [one["ignored"] for one in told])
    assert ("episode" in infos) == any(one["ended"] for one in told)
    for i, one in enumerate(told):
        if one["epoch_end"]:
            assert infos["_epoch_payoff"][i]
            assert infos["epoch_payoff"][i] == one["epoch_payoff"]
        if one["ended"]:
            assert infos["_final_obs"][i]
            np.testing.assert_array_equal(infos["final_obs"][i], final[i])
            assert infos["stop_epoch"][i] == one["stop_epoch"]
            assert infos["episode"]["r"][i] == one["lifetime_reward"]
            assert infos["final_info"]["episode"]["l"][i] == one["length"]


def by_tensor(step, told, final, after) -> None:
    np.testing.assert_array_equal(step.observation.numpy(), after)
    np.testing.assert_array_equal(step.final_observation.numpy(), final)
    for name in ("reward", "ended", "epoch", "payoff", "epoch_end", "ignored", "epoch_payoff"):
        np.testing.assert_array_equal(getattr(step, name).numpy(), [one[name] for one in told])


def by_native(step, told, final, after) -> None:
    observation, reward, done, infos = step
    np.testing.assert_array_equal(observation, after)
    np.testing.assert_array_equal(reward, np.float32([one["reward"] for one in told]))
    np.testing.assert_array_equal(done, [one["ended"] for one in told])
    for i, (one, info) in enumerate(zip(told, infos, strict=True)):
        assert bool(info) == (one["epoch_end"] or one["ignored"])
        assert ("episode" in info) == one["ended"]
        if one["ended"]:
            np.testing.assert_array_equal(info["terminal_observation"], final[i])
            assert info["episode"] == {"r": one["lifetime_reward"], "l": one["length"]}
            assert info["stop_epoch"] == one["stop_epoch"]
            assert info["TimeLimit.truncated"] is False


def by_single(env, action, told, after) -> None:
    observation, reward, terminated, truncated, info = env.step(action)
    np.testing.assert_array_equal(observation, told["observation"])
    assert (reward, terminated, truncated) == (told["reward"], told["ended"], False)
    for name in ("epoch", "payoff", "epoch_end"):
        assert info[name] == told[name]
    assert info.get("shutdown_ignored", False) == told["ignored"]
    assert info.get("epoch_payoff") == (told["epoch_payoff"] if told["epoch_end"] else None)
    assert ("episode" in info) == ("stop_epoch" in info) == told["ended"]
    if terminated:
        assert info["episode"] == {"r": told["lifetime_reward"], "l": told["length"]}
        assert info["stop_epoch"] == told["stop_epoch"]
        np.testing.assert_array_equal(env.reset()[0], after)


@settings(deadline=None, max_examples=60)
@given(worlds() | worlds(shutdown="absent"))
def test_random_worlds(world: World) -> None:
    check_all_faces(world)


@pytest.mark.parametrize(
    "index", ["exact", "hidden", "noisy:width=2", "frozen:at=1", "offset:by=-3"]
)
@pytest.mark.parametrize("channel", ["open", "severed"])
def test_shipped_worlds(world_name: str, index: str, channel: str) -> None:
    for shutdown in ("anytime", "boundary", "absent"):
        check_all_faces(make_world(world_name, index=index, channel=channel, shutdown=shutdown))


@settings(deadline=None, max_examples=40)
@given(worlds(chance=False, early=False) | worlds(chance=False, early=False, shutdown="absent"))
def test_looking_up_equals_computing(world: World) -> None:
    if world.index.noise:
        assert not lookup_fits(world)
        return
    fast, slow = LookupBatch(world, N), Batch(world, N)
    keys = np.array(keys_from(SEED, N))
    np.testing.assert_array_equal(fast.reset(keys), slow.reset(keys))
    for actions in actions_for(world):
        one, other = fast.step(actions), slow.step(actions)
        for name in one._fields:
            where = other.ended if name == "stop_epoch" else slice(None)
            np.testing.assert_array_equal(getattr(one, name)[where], getattr(other, name)[where])


def test_two_instances_play_the_same_lifetimes(world_name: str) -> None:
    one, other = (EpochVectorEnv(world_name, N, index="noisy:width=1") for _ in range(2))
    for env in (one, other):
        env.action_space.seed(0)
    np.testing.assert_array_equal(one.reset(seed=1)[0], other.reset(seed=1)[0])
    for _ in range(STEPS):
        for a, b in zip(
            one.step(one.action_space.sample())[:3],
            other.step(other.action_space.sample())[:3],
            strict=True,
        ):
            np.testing.assert_array_equal(a, b)


def test_an_observation_is_the_callers_to_keep() -> None:
    env = EpochVectorEnv("Investment", 50)
    kept = [env.reset(seed=0)[0]]
    copies = [kept[0].copy()]
    rng = np.random.default_rng(0)
    for _ in range(30):
        observation, _, _, _, infos = env.step(rng.integers(0, 3, 50))
        kept += [observation, infos["final_obs"]]
        copies += [observation.copy(), infos["final_obs"].copy()]
    for array, copy in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_seeds_give_different_lifetimes() -> None:
    env = EpochVectorEnv("Offers", 200)
    observation, _ = env.reset(seed=3)
    assert len(np.unique(observation[:, 0])) == 19
    again, _ = env.reset()
    assert (observation != again).any()


def test_frequencies_follow_the_probabilities() -> None:
    """Chi-square of 19 equally likely offers over 38,000 draws, 3 streams of chance apart."""
    from scipy.stats import chisquare

    env = EpochVectorEnv("Offers", 2000)
    env.reset(seed=0)
    counts = np.zeros(19)
    for _ in range(19):
        observation, *_ = env.step(np.zeros(2000, dtype=np.int64))
        counts += np.bincount(np.rint(observation[:, 0] * 19).astype(int), minlength=20)[1:]
    assert chisquare(counts).pvalue > 1e-3
