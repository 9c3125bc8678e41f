"""Bootstrap values in one batch: the same training as SB3's own, one forward pass a step."""

import numpy as np
import pytest
import torch
from stable_baselines3 import A2C, PPO

from myopia.agents.bootstrap import BatchedBootstrap, BatchedPPO
from myopia.envs import make_sb3


class BatchedA2C(BatchedBootstrap, A2C):
    """The mixin serves any of SB3's on-policy algorithms."""


SETTINGS = {PPO: {"n_steps": 16, "batch_size": 32, "n_epochs": 2}, A2C: {"n_steps": 8}}


@pytest.mark.parametrize(("ours", "theirs"), [(BatchedPPO, PPO), (BatchedA2C, A2C)])
def test_same_rewards_and_weights_as_sb3(ours, theirs) -> None:
    models = []
    for algorithm in (ours, theirs):
        env = make_sb3("Investment", 4, credit="bootstrap", seed=0)
        model = algorithm("MlpPolicy", env, gamma=0.9, seed=1, device="cpu", **SETTINGS[theirs])
        models.append(model.learn(4 * 64))
    one, other = models
    np.testing.assert_allclose(one.rollout_buffer.rewards, other.rollout_buffer.rewards, atol=1e-5)
    for a, b in zip(one.policy.parameters(), other.policy.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_one_forward_pass_for_all_envs() -> None:
    env = make_sb3("Investment", 16, credit="bootstrap", seed=0, shutdown="never")
    model = BatchedPPO("MlpPolicy", env, n_steps=8, batch_size=128, n_epochs=1, device="cpu")
    calls = []
    predict = model.policy.predict_values
    model.policy.predict_values = lambda observation: (
        calls.append(len(observation)) or predict(observation)
    )
    model.learn(16 * 8)
    # two boundaries in eight steps, and SB3's own at the end of the rollout
    assert calls == [16, 16, 16]
