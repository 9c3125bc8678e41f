"""The way of a GPU, taken on a CPU: shapes that do not follow the data, functions of tensors alone.

What is captured as a graph is run again and again on the same addresses; here the functions are
called so, and the training must be that of the CPU's own way.
"""

from typing import Any

import pytest
import torch

from myopia.agents.fast import engine
from myopia.agents.fast.group import Group
from myopia.agents.fast.ppo import FastPPO
from myopia.agents.fast.together import learn_together
from myopia.envs import make_sb3

ROLLOUT = 8 * 16


class Rehearsed:
    """Calls the function three times before it counts, and undoes what it wrote: as `Graph`."""

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
    monkeypatch.setattr(Group, "on_cpu", False)
    monkeypatch.setattr(engine, "Graph", Rehearsed)
    before = Rehearsed.calls
    together = [model(world, seed, **settings) for seed in range(2)]
    learn_together(together, 3 * ROLLOUT)
    assert Rehearsed.calls == before + 6
    for one, other in zip(together, expected, strict=True):
        torch.testing.assert_close(weights(one), weights(other), rtol=1e-9, atol=1e-12)
