"""The two networks of SB3's MlpPolicy, policy and value, as chains of named layers."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import FlattenExtractor
from torch import nn


class Towers(NamedTuple):
    """The linear layers of both networks by name, the last one of each its head."""

    policy: Sequence[str]
    value: Sequence[str]

    def in_order(self) -> list[str]:
        """All parameters, so that those of one depth lie side by side: weights, then biases."""
        pairs = itertools.zip_longest(self.policy[:-1], self.value[:-1])
        levels = [[name for name in pair if name is not None] for pair in pairs]
        levels += [[self.policy[-1]], [self.value[-1]]]
        return [f"{name}.{kind}" for same in levels for kind in ("weight", "bias") for name in same]


def towers_of(policy: ActorCriticPolicy) -> Towers:
    """The layers of a policy.

    Raises ValueError where it is not made of two chains of linear layers and tanh.
    """
    extractor = policy.mlp_extractor
    chains = []
    for net, name, head in (
        (extractor.policy_net, "policy_net", "action_net"),
        (extractor.value_net, "value_net", "value_net"),
    ):
        kinds = [type(module) for module in net]
        plain = isinstance(policy.features_extractor, FlattenExtractor) and not policy.use_sde
        if not plain or kinds != [nn.Linear, nn.Tanh] * (len(kinds) // 2):
            raise ValueError(
                "this PPO trains MlpPolicy with tanh layers only, expected activation_fn=Tanh and "
                f"no other features extractor, got {[kind.__name__ for kind in kinds]}: "
                "use stable_baselines3.PPO"
            )
        names = [f"mlp_extractor.{name}.{i}" for i in range(0, len(kinds), 2)]
        chains.append([*names, head])
    return Towers(*chains)
