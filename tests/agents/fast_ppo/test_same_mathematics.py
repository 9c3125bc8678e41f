"""With the same draws, FastPPO and SB3's PPO are the same algorithm: losses, gradients, weights.

SB3 is given FastPPO's actions and its order of the samples; in float64 its buffers are, too.
"""

from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import FlattenExtractor
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnvWrapper

from myopia.agents.algorithms.ppo import CreditedPPO
from myopia.agents.credit import CreditedBuffer
from myopia.agents.fast_ppo import random_draws
from myopia.agents.fast_ppo.ppo import FastPPO
from myopia.agents.fast_ppo.rollout_callback import RolloutCallback
from myopia.envs import make_sb3
from myopia.envs.credit.credit import Credit

ENVS, STEPS = 6, 20
SETTINGS = {
    "plain": {},
    "not normalised": {"normalize_advantage": False},
    "values clipped": {"clip_range_vf": 0.05},
    "schedules": {
        "learning_rate": LinearSchedule(2e-3, 0.0, 1.0),
        "clip_range": LinearSchedule(0.2, 0.05, 1.0),
    },
    "target KL": {"target_kl": 1e-3, "learning_rate": 5e-3},
    "uneven minibatches": {"batch_size": 50},
    "large gradients": {"max_grad_norm": 1e3, "vf_coef": 2.0, "normalize_advantage": False},
}
WORLDS = {
    "look-ups": ("Investment", {}),
    "chance": ("Offers", {}),
    "no shutdown": ("Investment", {"shutdown": "absent"}),
    "noisy index": ("Investment", {"index": "noisy:width=1", "schedule": "constant"}),
}


class ToldPolicy(ActorCriticPolicy):
    """Takes the actions that it is told."""

    told: Any = None

    def forward(self, obs: torch.Tensor, deterministic: bool = False) -> Any:
        latent_pi, latent_vf = self.mlp_extractor(self.extract_features(obs))
        actions = next(self.told)
        log_prob = self._get_action_dist_from_latent(latent_pi).log_prob(actions)
        return actions, self.value_net(latent_vf), log_prob


class DoubleFlatten(FlattenExtractor):
    """SB3 hands observations to the networks in float32."""

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return super().forward(observations).double()


class DoubleBuffer(RolloutBuffer):
    """SB3's rollout buffer in float64."""

    def reset(self) -> None:
        super().reset()
        for name in ("rewards", "returns", "episode_starts", "values", "log_probs", "advantages"):
            setattr(self, name, np.zeros((self.buffer_size, self.n_envs)))


class DoubleCredited(CreditedBuffer, DoubleBuffer):
    """The same under a credit mode."""


class DoubleRewards(VecEnvWrapper):
    """SB3 adds bootstrap values to the env's rewards, in their precision."""

    def reset(self) -> Any:
        return self.venv.reset()

    def step_wait(self) -> Any:
        observation, reward, done, infos = self.venv.step_wait()
        return observation, reward.astype(np.float64), done, infos


class Diary(RolloutCallback):
    """Keeps what was done in each rollout."""

    def __init__(self) -> None:
        super().__init__()
        self.actions: list[torch.Tensor] = []

    def _on_rollout_end(self) -> None:
        self.actions.extend(self.model.engine.rollout.actions)


def pair(
    dtype: torch.dtype,
    world: str,
    dials: dict,
    credit: str,
    rollouts: int,
    monkeypatch: Any,
    **given,
) -> tuple[FastPPO, PPO, dict, dict]:
    """Both, trained for `rollouts` rollouts on the same draws, and what both logged last."""
    settings = {"n_steps": STEPS, "batch_size": 30, "n_epochs": 3, "gamma": 0.97, "ent_coef": 0.02}
    double = dtype == torch.float64
    policy_kwargs = {
        "net_arch": {"pi": [16, 16], "vf": [16, 16]},
        "features_extractor_class": DoubleFlatten if double else FlattenExtractor,
    }
    settings |= {"policy_kwargs": policy_kwargs, "device": "cpu", "seed": 3, **given}
    mode = Credit.of(credit)
    told = credit if mode.flag else "lifetime"
    envs = [make_sb3(world, ENVS, credit=told, seed=5, **dials) for _ in range(2)]
    ours = FastPPO(ToldPolicy, envs[0], credit=credit, **settings)
    settings["rollout_buffer_class"] = DoubleBuffer if double else RolloutBuffer
    their_env = DoubleRewards(envs[1]) if double else envs[1]
    if not mode.flag:  # SB3 has no such thing: its own loop under ours
        monkeypatch.setattr(CreditedPPO, "buffer_class", DoubleCredited)
        del settings["rollout_buffer_class"]
        theirs = CreditedPPO(ToldPolicy, their_env, credit=credit, **settings)
    else:
        theirs = PPO(ToldPolicy, their_env, **settings)
    theirs.policy.load_state_dict(ours.policy.state_dict())
    for model in (ours, theirs):
        model.policy.to(dtype)
        model.set_logger(Logger(None, []))
    diary = Diary()
    steps = rollouts * STEPS * ENVS
    ours.learn(steps, callback=diary, log_interval=1000)
    theirs.policy.told = iter(diary.actions)
    orders = iter(_orders(rollouts, settings["n_epochs"], mode.pending))
    if given.get("target_kl"):
        # passes that are not made draw nothing: each update begins with its own first one
        every = list(orders)
        calls = {"update": -1, "epoch": 0}
        train = theirs.train

        def counted() -> None:
            calls["update"] += 1
            calls["epoch"] = 0
            train()

        def permutation(n: int) -> np.ndarray:
            calls["epoch"] += 1
            return every[calls["update"] * settings["n_epochs"] + calls["epoch"] - 1]

        theirs.train = counted
        monkeypatch.setattr(np.random, "permutation", permutation)
    else:
        monkeypatch.setattr(np.random, "permutation", lambda n: next(orders))
    theirs.learn(steps, log_interval=1000)
    logged = [dict(model.logger.name_to_value) for model in (ours, theirs)]
    return ours, theirs, *logged


def _orders(rollouts: int, epochs: int, pending: int) -> list[np.ndarray]:
    """Ours, as SB3 counts samples: one env after the other."""
    found = []
    for rollout in range(rollouts):
        steps = STEPS if rollout else STEPS - pending
        ours = random_draws.orders(3, rollout, epochs, steps * ENVS, torch.device("cpu")).numpy()
        found.extend(ours % ENVS * steps + ours // ENVS)
    return found


def close(
    ours: FastPPO, theirs: PPO, logged: dict, expected: dict, rtol: float, atol: float
) -> None:
    assert logged.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(logged[name], expected[name], rtol=rtol, atol=atol, err_msg=name)
    for (name, one), other in zip(
        ours.policy.named_parameters(), theirs.policy.parameters(), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=rtol, atol=atol, msg=lambda m: f"{name}: {m}")  # noqa: B023
    for a, b in zip(
        ours.policy.optimizer.state.values(), theirs.policy.optimizer.state.values(), strict=True
    ):
        for key in ("step", "exp_avg", "exp_avg_sq"):
            torch.testing.assert_close(a[key], b[key], rtol=rtol, atol=atol, check_dtype=False)
    assert ours._n_updates == theirs._n_updates
    assert ours.num_timesteps == theirs.num_timesteps


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("rollouts", [1, 5])
def test_every_setting_in_float64(settings: str, rollouts: int, monkeypatch) -> None:
    both = pair(
        torch.float64, "Investment", {}, "lifetime", rollouts, monkeypatch, **SETTINGS[settings]
    )
    close(*both, rtol=1e-9, atol=1e-12)
    if settings == "target KL":
        assert both[0]._n_updates < 3 * rollouts


@pytest.mark.parametrize("credit", ["lifetime", "bootstrap", "epoch", "window:5", "discount:0.4"])
@pytest.mark.parametrize("world", WORLDS)
def test_every_credit_mode_in_float64(world: str, credit: str, monkeypatch) -> None:
    name, dials = WORLDS[world]
    close(*pair(torch.float64, name, dials, credit, 5, monkeypatch), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_setting_in_float32(settings: str, monkeypatch) -> None:
    both = pair(torch.float32, "Investment", {}, "lifetime", 1, monkeypatch, **SETTINGS[settings])
    close(*both, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_gradient_of_one_minibatch(dtype: torch.dtype, monkeypatch) -> None:
    whole = {"batch_size": STEPS * ENVS, "n_epochs": 1}
    ours, theirs, *_ = pair(dtype, "Investment", {}, "lifetime", 1, monkeypatch, **whole)
    gradients = ours.engine.group.parameters
    rtol, atol = (1e-9, 1e-12) if dtype == torch.float64 else (1e-4, 1e-6)
    for name, parameter in theirs.policy.named_parameters():
        torch.testing.assert_close(gradients.of(name)[1][0], parameter.grad, rtol=rtol, atol=atol)


def test_another_order_gives_other_weights(monkeypatch) -> None:
    """The comparison can fail: a different order of the samples is seen."""
    honest = random_draws.orders
    monkeypatch.setattr(random_draws, "orders", lambda *a: honest(*a).flip(1))
    ours = pair(torch.float64, "Investment", {}, "lifetime", 1, monkeypatch)
    monkeypatch.setattr(random_draws, "orders", honest)
    other = pair(torch.float64, "Investment", {}, "lifetime", 1, monkeypatch)
    with pytest.raises(AssertionError):
        close(ours[0], other[1], ours[2], other[3], rtol=1e-9, atol=1e-12)
