"""Lifetimes on tensors are those of the native batch, whatever the world."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.random_task import RandomTask

from myopia.agents.fast_ppo.simulator import (
    Simulator,
    TableSimulator,
    make_simulator,
    since_last,
)
from myopia.envs import World, make_sb3
from myopia.envs.batch import STATE
from myopia.envs.observer import observer_of

ENVS, STEPS = 5, 13
CPU = torch.device("cpu")
INDEX = ("exact", "hidden", "noisy:width=1", "frozen:at=1", "offset:by=1")


@settings(max_examples=40, deadline=None)
@given(
    dials=st.fixed_dictionaries(
        {
            "seed": st.integers(0, 10_000),
            "chance": st.booleans(),
            "early": st.booleans(),
            "tampered": st.booleans(),
            "index": st.sampled_from(INDEX),
            "index_encoding": st.sampled_from(["onehot", "scalar"]),
            "channel": st.sampled_from(["open", "severed"]),
            "shutdown": st.sampled_from(["anytime", "boundary", "never", "absent"]),
            "observe_state": st.booleans(),
        }
    ),
    gains=st.lists(st.sampled_from([0.25, 0.5]), min_size=1, max_size=3),
)
def test_a_walk_is_the_env(dials: dict, gains: list[float]) -> None:
    """Several worlds side by side, each against its own env; then once more from where it was."""
    worlds = [
        World.of(RandomTask, **dials, schedule=f"linear:cutoff=2,upkeep={gain}") for gain in gains
    ]
    envs = [make_sb3(world, ENVS, seed=7 * i) for i, world in enumerate(worlds)]
    simulator = make_simulator(worlds, ENVS, CPU)
    chance = dials["chance"] or "noisy" in dials["index"]
    assert type(simulator) is (Simulator if chance else TableSimulator)
    seen = [env.reset() for env in envs]
    count, size = len(worlds[0].actions), (2, STEPS, len(worlds), ENVS)
    actions = np.random.default_rng(dials["seed"]).integers(0, count, size)
    state = simulator.join([env.batch.state() for env in envs])
    for rollout in actions:
        simulator.resume(state)
        happened = []
        for chosen in rollout:
            check_seen(simulator, worlds, seen)
            simulator.step(torch.tensor(chosen.ravel()))
            stepped = [env.step(one) for env, one in zip(envs, chosen, strict=True)]
            seen = [one[0] for one in stepped]
            happened.append(stepped)
        check_seen(simulator, worlds, seen)
        check_trace(simulator.trace(), happened)
        state = simulator.state()
        for mine, env in zip(simulator.split(state), envs, strict=True):
            theirs = env.batch.state()
            for name in {"cell", "steps", "epoch_payoff", "lifetime_reward"} & set(STATE):
                np.testing.assert_allclose(mine[name], theirs[name], atol=1e-9)


def check_seen(simulator, worlds: list[World], seen: list[np.ndarray]) -> None:
    keys = simulator.keys.view(len(worlds), ENVS).numpy()
    for number, world in enumerate(worlds):
        rows = keys[number] - simulator.spans[number][0]
        assert (rows >= 0).all()
        assert (rows < observer_of(world).count).all()
        np.testing.assert_array_equal(observer_of(world).observations(rows), seen[number])


def check_trace(trace, happened: list) -> None:
    for step, stepped in enumerate(happened):
        rewards = np.concatenate([reward for _, reward, _, _ in stepped])
        np.testing.assert_allclose(trace.reward[step].float(), rewards)
        infos = [info for *_, several in stepped for info in several]
        for env, info in enumerate(infos):
            assert bool(trace.epoch_end[step, env]) == ("epoch_end" in info)
            assert bool(trace.ended[step, env]) == ("episode" in info)
            if "episode" in info:
                assert int(trace.length[step, env]) == info["episode"]["l"]
                assert int(trace.stop_epoch[step, env]) == info["stop_epoch"]
                assert float(trace.lifetime_reward[step, env]) == pytest.approx(
                    info["episode"]["r"]
                )
            if "epoch_end" in info:
                assert int(trace.epoch[step, env]) == info["epoch"]


def test_sums_since_the_last_end_by_hand() -> None:
    amounts = torch.tensor([[1.0], [2.0], [4.0], [8.0]])
    ends = torch.tensor([[False], [True], [False], [False]])
    running, left = since_last(amounts, ends, torch.tensor([10.0]))
    assert running[:, 0].tolist() == [11.0, 13.0, 4.0, 12.0]
    assert left.tolist() == [12.0]


def test_a_world_may_stand_anywhere_among_others() -> None:
    """Equal worlds share a batch, wherever they stand."""
    walk([World.of(RandomTask, seed=seed) for seed in (1, 2, 1)], Simulator)


@pytest.mark.parametrize("chance", [True, False])
def test_an_absent_shutdown_may_stand_beside_one_action_less(chance: bool) -> None:
    """Both have three actions, but the rules of the first know a fourth."""
    dials = {"chance": chance, "tampered": False}
    one = World.of(RandomTask, moves=3, shutdown="absent", **dials)
    other = World.of(RandomTask, moves=2, **dials)
    kind = Simulator if chance else TableSimulator
    walk([one, other, one], kind)
    walk([other, one], kind)


def walk(worlds: list[World], kind: type[Simulator]) -> None:
    envs = [make_sb3(world, ENVS, seed=i) for i, world in enumerate(worlds)]
    seen = [env.reset() for env in envs]
    simulator = make_simulator(worlds, ENVS, CPU)
    assert type(simulator) is kind
    simulator.resume(simulator.join([env.batch.state() for env in envs]))
    rng = np.random.default_rng(0)
    for _ in range(STEPS):
        check_seen(simulator, worlds, seen)
        actions = rng.integers(0, 3, (len(worlds), ENVS))
        simulator.step(torch.tensor(actions.ravel()))
        seen = [env.step(one)[0] for env, one in zip(envs, actions, strict=True)]
    check_seen(simulator, worlds, seen)
