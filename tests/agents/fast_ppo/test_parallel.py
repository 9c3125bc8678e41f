"""Models that learn together end as they would have ended alone."""

from typing import Any

import pytest
import torch

from myopia.agents.fast_ppo.parallel import learn_in_parallel
from myopia.agents.fast_ppo.ppo import FastPPO
from myopia.agents.fast_ppo.rollout_callback import RolloutCallback
from myopia.envs import make_sb3

ROLLOUT = 8 * 16

NARROW = {"net_arch": {"pi": [10, 7], "vf": [5]}}

CONDITIONS: dict[str, list[tuple[str, dict[str, Any], dict[str, Any]]]] = {
    "seeds": [("Investment", {}, {})] * 3,
    "many rows": [("Orchard", {}, {})] * 2,
    "conditions": [
        ("Investment", {"gain": 0.25}, {}),
        ("Investment", {"channel": "severed"}, {"credit": "epoch"}),
        ("Investment", {"schedule": "constant", "shutdown": "boundary"}, {"credit": "bootstrap"}),
    ],
    "index modes": [
        ("Investment", {"index": index}, {}) for index in ("exact", "hidden", "noisy:width=2")
    ],
    "chance": [("Offers", {}, {}), ("Offers", {"channel": "severed"}, {}), ("Offers", {}, {})],
    "no shutdown": [("Investment", {"shutdown": "absent"}, {})] * 2,
    "windows": [("Investment", {}, {"credit": "window:4"})] * 2,
    "settings": [
        ("Investment", {}, {"ent_coef": 0.2, "learning_rate": 1e-3, "gamma": 0.9}),
        ("Investment", {}, {"clip_range": 0.1, "gae_lambda": 0.5, "max_grad_norm": 0.1}),
    ],
    "narrow layers": [
        (
            "Offers",
            {},
            {"policy_kwargs": {"net_arch": {"pi": [10, 7], "vf": [5]}}, "batch_size": 30},
        )
    ]
    * 3,
    "target KL": [("Investment", {}, {"target_kl": kl}) for kl in (1e-4, 1e-3, 1.0)],
}


def build(number: int, world: str, dials: dict, given: dict) -> FastPPO:
    settings: dict[str, Any] = {"n_steps": 16, "batch_size": 32, "n_epochs": 2, "device": "cpu"}
    settings |= given
    env = make_sb3(world, 8, seed=100 * number, **dials)
    return FastPPO("MlpPolicy", env, seed=number, **settings)


def weights(model: FastPPO) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.policy.parameters()])


@pytest.mark.parametrize("conditions", CONDITIONS)
def test_together_is_alone_bit_for_bit(conditions: str) -> None:
    asked = list(enumerate(CONDITIONS[conditions]))
    together = [build(number, *one) for number, one in asked]
    learn_in_parallel(together, 3 * ROLLOUT)
    for number, one in asked:
        alone = build(number, *one).learn(3 * ROLLOUT)
        assert torch.equal(weights(alone), weights(together[number])), number
        assert alone.num_timesteps == together[number].num_timesteps
        assert alone._n_updates == together[number]._n_updates
        assert list(alone.ep_info_buffer) == list(together[number].ep_info_buffer)
        logged = [model.logger.name_to_value for model in (alone, together[number])]
        for name in logged[0]:
            assert logged[0][name] == pytest.approx(logged[1][name], rel=1e-5, nan_ok=True)


def test_one_that_stops_leaves_the_others() -> None:
    class Stop(RolloutCallback):
        def _on_rollout(self, trace) -> bool:
            return self.num_timesteps < 2 * ROLLOUT

    asked = [(number, "Investment", {}, {}) for number in range(3)]
    models = [build(*one) for one in asked]
    learn_in_parallel(models, 3 * ROLLOUT, [None, Stop(), None])
    for number in (0, 2):
        assert torch.equal(
            weights(models[number]), weights(build(*asked[number]).learn(3 * ROLLOUT))
        )
    stopped = build(*asked[1]).learn(3 * ROLLOUT, callback=Stop())
    assert torch.equal(weights(models[1]), weights(stopped))
    assert models[1].num_timesteps == stopped.num_timesteps == 2 * ROLLOUT


def test_a_model_saved_after_learning_together_is_its_own(tmp_path) -> None:
    models = [build(number, "Investment", {}, {}) for number in range(3)]
    learn_in_parallel(models, ROLLOUT)
    models[1].save(tmp_path / "one")
    loaded = FastPPO.load(tmp_path / "one", device="cpu")
    assert torch.equal(weights(loaded), weights(models[1]))
    storage = next(loaded.policy.parameters()).untyped_storage()
    assert storage.nbytes() < models[0].engine.group.parameters.values.untyped_storage().nbytes()


def test_what_does_not_fit_together_is_refused() -> None:
    one = build(0, "Investment", {}, {})
    with pytest.raises(ValueError, match=r"each a RolloutCallback, got function"):
        learn_in_parallel([one], ROLLOUT, [lambda *_: True])
    with pytest.raises(ValueError, match="agree in n_steps, got 16 and 32"):
        learn_in_parallel([one, build(1, "Investment", {}, {"n_steps": 32})], ROLLOUT)
    with pytest.raises(ValueError, match="agree in entries of the observation, got 18 and 16"):
        learn_in_parallel([one, build(1, "Work", {}, {})], ROLLOUT)
