"""Draws on a device: hashes for all models at once, each model's those that it has alone."""

import numpy as np
import pytest
import torch

from myopia.agents.fast_ppo import random_draws

CPU = torch.device("cpu")
MODELS = [(seed, rollout) for seed in (0, 1, 2**61) for rollout in (0, 1)]
UNIFORMS = {
    "by torch": lambda models, *sizes: random_draws.uniforms(
        *zip(*models, strict=True), *sizes, CPU
    ),
    "hashed": lambda models, *sizes: random_draws.hashed_uniforms(models, *sizes, CPU),
}
ORDERS = {
    "by torch": lambda models, *sizes: random_draws.orders(*zip(*models, strict=True), *sizes, CPU),
    "hashed": lambda models, *sizes: random_draws.hashed_orders(models, *sizes, CPU),
}


@pytest.mark.parametrize("kinds", [UNIFORMS, ORDERS], ids=["uniforms", "orders"])
@pytest.mark.parametrize("kind", UNIFORMS)
def test_a_model_draws_beside_others_what_it_draws_alone(kinds: dict, kind: str) -> None:
    together = kinds[kind](MODELS, 3, 50).unflatten(1, (-1, 50))
    for number, one in enumerate(MODELS):
        assert torch.equal(kinds[kind]([one], 3, 50), together[:, number])
    assert len(together.transpose(0, 1).flatten(1).unique(dim=0)) == len(MODELS)


def test_one_model_may_be_given_as_numbers() -> None:
    for draw in (random_draws.uniforms, random_draws.orders):
        assert torch.equal(draw(7, 3, 2, 10, CPU), draw([7], [3], 2, 10, CPU))


@pytest.mark.parametrize("kind", ORDERS)
def test_orders_are_permutations_and_all_alike_likely(kind: str) -> None:
    found = ORDERS[kind]([(seed, 0) for seed in range(6000)], 2, 3).unflatten(1, (-1, 3))
    assert torch.equal(found.sort(2).values, torch.arange(3).expand(2, 6000, 3))
    of_six = (found.flatten(0, 1) @ torch.tensor([9, 3, 1])).unique(return_counts=True)[1]
    assert len(of_six) == 6
    # each is binomial (12,000, 1/6): five standard deviations are 204
    assert (of_six - 2000).abs().max() < 204


@pytest.mark.parametrize("kind", UNIFORMS)
def test_uniforms_fill_the_interval(kind: str) -> None:
    found = UNIFORMS[kind]([(7, 3), (8, 3)], 100, 1000)
    assert found.dtype == torch.float32
    assert found.min() >= 0
    assert found.max() < 1
    counts = np.histogram(found.numpy(), bins=50, range=(0, 1))[0]
    assert abs(counts - 4000).max() < 5 * np.sqrt(4000)
    for pair in ((found[1:], found[:-1]), (found[:, 1:], found[:, :-1])):
        correlation = np.corrcoef([x.numpy().ravel() for x in pair])[0, 1]
        assert abs(correlation) < 5 / np.sqrt(199_000)


def test_actions_and_orders_and_lifetimes_have_nothing_in_common() -> None:
    from myopia.envs.randomness import draw, lifetime_key

    ours = [random_draws._hashes([(5, 2)], stream, 1000, CPU).ravel() for stream in range(2)]
    theirs = [draw(lifetime_key(5, 2), torch.arange(1000), stream) for stream in range(4)]
    assert len(torch.cat([*ours, *theirs]).unique()) == 6000
