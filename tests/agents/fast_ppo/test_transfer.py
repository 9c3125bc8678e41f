"""Tensors reach numpy in one transfer, and stay there until somebody puts others there."""

import numpy as np
import pytest
import torch

from myopia.agents.fast_ppo import engine
from myopia.agents.fast_ppo.parallel import learn_in_parallel
from myopia.agents.fast_ppo.ppo import FastPPO, _last
from myopia.agents.fast_ppo.transfer import fetch, pack, unpack
from myopia.agents.runs.checkpoint import world_env
from myopia.envs import make_sb3

ROLLOUT = 8 * 16


def model(seed: int = 0, **settings) -> FastPPO:
    given = {"n_steps": 16, "batch_size": 32, "n_epochs": 2, "device": "cpu"}
    return FastPPO(
        "MlpPolicy", make_sb3("Offers", 8, seed=seed), seed=seed, **{**given, **settings}
    )


def weights(of: FastPPO) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in of.policy.parameters()])


def test_what_is_packed_is_unpacked() -> None:
    tensors = [
        torch.tensor([True, False, True]),
        torch.randn(3, 5).double().T,
        torch.zeros(0, 4),
        torch.tensor(7),
        torch.randn(2, 3, 1),
    ]
    expected = [tensor.numpy() for tensor in tensors]
    for found in (unpack(pack(tensors), tensors), fetch(tensors)):
        for mine, other in zip(found, expected, strict=True):
            assert mine.dtype == other.dtype
            np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("credit", ["lifetime", "window:4"])
@pytest.mark.parametrize("models", [1, 3])
def test_two_transfers_serve_a_rollout_and_an_update(models: int, credit: str, monkeypatch) -> None:
    calls = []
    monkeypatch.setattr(engine, "fetch", lambda tensors: calls.append(1) or fetch(tensors))
    learn_in_parallel([model(seed, credit=credit) for seed in range(models)], 3 * ROLLOUT)
    assert len(calls) == 6


def test_lifetimes_are_loaded_only_where_somebody_moved_them() -> None:
    trained = model().learn(ROLLOUT)
    simulator, joined = trained.engine.group.simulator, []
    honest = simulator.join
    simulator.join = lambda states: joined.append(1) or honest(states)  # type: ignore[method-assign]
    trained.learn(2 * ROLLOUT, reset_num_timesteps=False)
    assert not joined
    world_env(trained).step(np.zeros(8, dtype=int))
    trained.learn(ROLLOUT, reset_num_timesteps=False)
    assert len(joined) == 1
    trained.learn(ROLLOUT)  # which resets the env
    assert len(joined) == 2
    with pytest.raises(ValueError, match="read-only"):
        world_env(trained).batch.cell[0] = 0


@pytest.mark.parametrize("credit", ["lifetime", "window:4"])
def test_weights_and_lifetimes_that_others_put_there_are_learned_from(credit: str) -> None:
    """A model in use takes over what another has, as one that was never used."""
    source, used, fresh = (model(seed, credit=credit) for seed in (0, 1, 1))
    source.learn(2 * ROLLOUT)
    used.learn(ROLLOUT)
    fresh._setup_learn(ROLLOUT, None)
    for taker in (used, fresh):
        taker.set_parameters(source.get_parameters())
        world_env(taker).batch.resume(world_env(source).batch.state())
        taker.pending_steps = source.pending_steps
        taker._last_obs, taker.rollouts = source._last_obs, source.rollouts
        taker.learn(2 * ROLLOUT, reset_num_timesteps=False)
    assert torch.equal(weights(used), weights(fresh))
    assert not torch.equal(weights(used), weights(source))


@pytest.mark.parametrize("most", [None, 1, 7, 1000])
@pytest.mark.parametrize("share", [0.0, 0.02, 1.0])
def test_the_last_lifetimes(share: float, most: int | None) -> None:
    ended = np.random.default_rng(0).random((30, 8)) < share
    every = np.stack(ended.nonzero(), axis=1)
    found = np.stack(_last(ended, most), axis=1)
    np.testing.assert_array_equal(found, every if most is None else every[-most:])
