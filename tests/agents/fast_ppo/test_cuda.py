"""On a GPU: whole rollouts and updates as graphs, the same training, and no waiting."""

import pytest
import torch

from myopia.agents.fast_ppo.parallel import learn_in_parallel
from myopia.agents.fast_ppo.ppo import FastPPO
from myopia.envs import make_sb3

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

ROLLOUT = 64 * 16


def model(device: str, world: str = "Investment", seed: int = 0, **settings) -> FastPPO:
    given = {"n_steps": 16, "batch_size": 256, "n_epochs": 2, "device": device, "gamma": 1.0}
    env = make_sb3(world, 64, seed=seed)
    return FastPPO("MlpPolicy", env, seed=seed, **{**given, **settings})


def weights(of: FastPPO) -> torch.Tensor:
    return torch.cat([p.detach().flatten().cpu() for p in of.policy.parameters()])


@pytest.mark.parametrize("world", ["Investment", "Offers", "Orchard"])
@pytest.mark.parametrize("credit", ["lifetime", "epoch", "window:4"])
def test_replayed_graphs_are_the_functions(world: str, credit: str) -> None:
    """Replayed, and run kernel by kernel on the same device, training is the same."""
    replayed = model("cuda", world, credit=credit).learn(4 * ROLLOUT)
    plain = model("cuda", world, credit=credit)
    engine = plain.engine
    engine._roll, engine._learn = engine.collector.roll, engine.updater.learn
    plain.learn(4 * ROLLOUT)
    torch.testing.assert_close(weights(replayed), weights(plain), rtol=1e-3, atol=1e-5)


def test_one_update_is_that_of_the_cpu(monkeypatch) -> None:
    """On the same draws; the actions of one rollout are then the same, too."""
    from myopia.agents.fast_ppo import random_draws

    for name in ("uniforms", "orders"):
        honest = getattr(random_draws, name)

        def on_cpu(*arguments, honest=honest) -> torch.Tensor:
            return honest(*arguments[:-1], torch.device("cpu")).to(arguments[-1])

        monkeypatch.setattr(random_draws, name, on_cpu)
    both = [model(device).learn(ROLLOUT) for device in ("cuda", "cpu")]
    torch.testing.assert_close(weights(both[0]), weights(both[1]), rtol=1e-3, atol=1e-5)


def test_nothing_waits_within_a_rollout_or_an_update() -> None:
    trained = model("cuda").learn(2 * ROLLOUT)
    engine = trained.engine
    roll, learn = engine._roll, engine._learn

    def unwatched(*arguments):
        raise AssertionError("graphs are captured already")

    roll._capture = learn._capture = unwatched

    def watched(function):
        def call(*arguments):
            torch.cuda.set_sync_debug_mode("error")
            try:
                return function(*arguments)
            finally:
                torch.cuda.set_sync_debug_mode("default")

        return call

    engine._roll, engine._learn = watched(roll), watched(learn)
    trained.learn(2 * ROLLOUT, reset_num_timesteps=False)


def test_together_is_alone() -> None:
    together = [model("cuda", seed=seed) for seed in range(3)]
    learn_in_parallel(together, ROLLOUT)
    for seed, one in enumerate(together):
        alone = model("cuda", seed=seed).learn(ROLLOUT)
        torch.testing.assert_close(weights(one), weights(alone), rtol=1e-3, atol=1e-5)


def test_a_model_saved_on_a_gpu_opens_on_a_cpu(tmp_path) -> None:
    from stable_baselines3 import PPO

    trained = model("cuda").learn(ROLLOUT)
    trained.save(tmp_path / "model")
    opened = PPO.load(tmp_path / "model", env=make_sb3("Investment", 64, seed=1), device="cpu")
    group = opened.policy.optimizer.param_groups[0]
    assert not group.get("capturable")
    assert not group.get("fused")
    opened.learn(ROLLOUT, reset_num_timesteps=False)
