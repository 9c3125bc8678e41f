"""The way of a GPU, taken on a CPU: shapes that do not follow the data, functions of tensors alone.

What is captured as a graph is run again and again on the same addresses; here the functions are
called so, and the training must be that of the CPU's own way. And the whole training is run on
torch's meta device, which has no data: whatever would mix devices, or wait for a value, fails.
"""

from typing import Any

import numpy as np
import pytest
import torch

from myopia.agents.fast_ppo import engine, random_draws
from myopia.agents.fast_ppo.model_group import ModelGroup
from myopia.agents.fast_ppo.parallel import learn_in_parallel
from myopia.agents.fast_ppo.ppo import FastPPO
from myopia.envs import make_sb3

ROLLOUT = 8 * 16


class Rehearsed:
    """As `GraphedFunction`: calls three times before it counts, and undoes what it wrote."""

    calls = 0

    def __init__(self, function: Any, parameters: Any = None) -> None:
        self.function, self.parameters = function, parameters

    def __call__(self, *arguments: Any) -> Any:
        written = self.parameters.written() if self.parameters else []
        before = [tensor.clone() for tensor in written]
        for _ in range(3):
            self.function(*arguments)
            for tensor, value in zip(written, before, strict=True):
                tensor.copy_(value)
        Rehearsed.calls += 1
        return self.function(*arguments)


def model(world: str, seed: int = 0, **settings) -> FastPPO:
    given = {"n_steps": 16, "batch_size": 40, "n_epochs": 2, "device": "cpu", "ent_coef": 0.01}
    env = make_sb3(world, 8, seed=seed)
    built = FastPPO("MlpPolicy", env, seed=seed, **{**given, **settings})
    built.policy.double()
    return built


def weights(of: FastPPO) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in of.policy.parameters()])


@pytest.mark.parametrize("settings", [{}, {"target_kl": 1e-3}, {"credit": "window:4"}], ids=str)
@pytest.mark.parametrize("world", ["Investment", "Offers", "Orchard"])
def test_the_same_training(world: str, settings: dict, monkeypatch) -> None:
    expected = [model(world, seed, **settings).learn(3 * ROLLOUT) for seed in range(2)]
    monkeypatch.setattr(ModelGroup, "on_cpu", False)
    monkeypatch.setattr(engine, "GraphedFunction", Rehearsed)
    before = Rehearsed.calls
    together = [model(world, seed, **settings) for seed in range(2)]
    learn_in_parallel(together, 3 * ROLLOUT)
    assert Rehearsed.calls == before + 6
    for one, other in zip(together, expected, strict=True):
        torch.testing.assert_close(weights(one), weights(other), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("envs", [8, 128])  # few of the observations in a rollout, and many
def test_the_same_training_in_worlds_with_other_numbers_of_observations(
    envs: int, monkeypatch
) -> None:
    def built() -> list[FastPPO]:
        indices = ("exact", "hidden", "frozen:at=0", "exact")
        worlds = [make_sb3("Investment", envs, seed=0, index=index) for index in indices]
        settings = {"n_steps": 16, "batch_size": 4 * envs, "n_epochs": 2, "device": "cpu"}
        models = [FastPPO("MlpPolicy", env, seed=0, **settings) for env in worlds]
        for one in models:
            one.policy.double()
        return models

    expected = [one.learn(3 * envs * 16) for one in built()]
    monkeypatch.setattr(ModelGroup, "on_cpu", False)
    monkeypatch.setattr(engine, "GraphedFunction", Rehearsed)
    together = built()
    learn_in_parallel(together, 3 * envs * 16)
    for one, other in zip(together, expected, strict=True):
        torch.testing.assert_close(weights(one), weights(other), rtol=1e-9, atol=1e-12)


@pytest.fixture
def without_data(monkeypatch) -> None:
    """The meta device draws from no generator, and gives zeros to who asks for its data."""
    monkeypatch.setattr(engine, "GraphedFunction", lambda function, parameters=None: function)
    monkeypatch.setattr(random_draws, "_generator", lambda *arguments: None)
    cpu = torch.Tensor.cpu
    monkeypatch.setattr(
        torch.Tensor,
        "cpu",
        lambda x: torch.zeros(x.shape, dtype=x.dtype) if x.is_meta else cpu(x),
    )


@pytest.mark.parametrize(
    "settings",
    [{}, {"target_kl": 1e-3}, {"credit": "window:4"}, {"credit": "epoch", "clip_range_vf": 0.2}],
    ids=str,
)
@pytest.mark.parametrize("world", ["Investment", "Offers", "Orchard"])
@pytest.mark.usefixtures("without_data")
def test_every_tensor_is_made_on_the_device_and_nothing_waits(world: str, settings: dict) -> None:
    together = [model(world, seed, device="meta", **settings) for seed in range(2)]
    learn_in_parallel(together, 2 * ROLLOUT)
    for one in together:
        assert one.num_timesteps == 2 * ROLLOUT
        assert {weight.device.type for weight in one.policy.parameters()} == {"meta"}


@pytest.mark.usefixtures("without_data")
def test_a_tensor_left_on_the_cpu_or_a_wait_would_be_noticed(monkeypatch) -> None:
    one = model("Investment", device="meta")
    one.learn(ROLLOUT)
    learn = one.engine.updater._advantages

    def left_behind(rewards: torch.Tensor, *arrays: torch.Tensor) -> torch.Tensor:
        return learn(rewards + torch.ones(rewards.shape), *arrays)

    monkeypatch.setattr(one.engine.updater, "_advantages", left_behind)
    with pytest.raises(RuntimeError, match="meta"):
        one.learn(ROLLOUT, reset_num_timesteps=False)

    def pending(rewards: torch.Tensor, *arrays: torch.Tensor) -> torch.Tensor:
        return learn(rewards * float(np.sign(rewards.sum().item())), *arrays)

    monkeypatch.setattr(one.engine.updater, "_advantages", pending)
    with pytest.raises(RuntimeError, match="meta"):
        one.learn(ROLLOUT, reset_num_timesteps=False)
