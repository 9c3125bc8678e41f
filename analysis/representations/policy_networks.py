"""SB3 policies as plain networks, tower by tower, and the activations of their layers by name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from stable_baselines3.common.torch_layers import FlattenExtractor
from torch import Tensor, nn

from myopia.agents.training.rng_state import preserve_rng_state
from myopia.superposition.audit import Layer, Network, network_of_modules


@dataclass(frozen=True)
class PolicyNetworks:
    """The towers of one agent by name, in float64; calling it gives action probabilities."""

    networks: Mapping[str, Network]
    acting: str
    """The tower that chooses: `policy`, or `q`, which does so greedily."""
    closed: Tensor | None = None
    """(n, A) bool: what an agent with action masks may not do, in the n situations that it is
    always asked about; None for agents without masks."""

    def __call__(self, observations: Tensor) -> Tensor:
        """Observations (n, D) -> probabilities (n, A)."""
        return self.probabilities(self.actor(observations))

    @property
    def actor(self) -> Network:
        """The network that chooses."""
        return self.networks[self.acting]

    def probabilities(self, outputs: Tensor) -> Tensor:
        """Outputs (..., A) of the acting tower -> action probabilities."""
        if self.closed is not None:
            outputs = outputs.masked_fill(self.closed, -torch.inf)
        if self.actor.head == "categorical":
            return outputs.softmax(-1)
        greedy = nn.functional.one_hot(outputs.argmax(-1), outputs.shape[-1])
        return greedy.to(outputs.dtype)

    def onward(self, hidden: Tensor, position: int) -> Tensor:
        """Activations (..., units) of the acting tower's layer at `position` -> probabilities."""
        return self.probabilities(self.actor.onward(hidden, position))


def activations(towers: PolicyNetworks, observations: Tensor) -> dict[str, Tensor]:
    """Name -> (n, units) for every hidden layer, and `policy.out` and so on for the outputs.

    `observations` (n, D) is a float64 tensor, as the networks are.
    """
    cache = {}
    for name, network in towers.networks.items():
        hidden = observations
        for number, layer in enumerate(network.layers, 1):
            hidden = layer(hidden)
            cache[f"{name}.{number if number < len(network.layers) else 'out'}"] = hidden
    return cache


def policy_networks_of(policy: Any) -> PolicyNetworks:
    """The towers of an SB3 policy: an actor-critic's `policy` and `value`, or a DQN's `q`.

    A QR-DQN's quantiles are averaged. Raises ValueError for any other kind of policy.
    """
    extractor = getattr(policy, "features_extractor", None)
    if extractor is None and hasattr(policy, "q_net"):
        extractor = policy.q_net.features_extractor
    if extractor is None and hasattr(policy, "quantile_net"):
        extractor = policy.quantile_net.features_extractor
    recurrent = any(isinstance(part, nn.RNNBase) for part in policy.modules())
    if recurrent or not isinstance(extractor, FlattenExtractor):
        raise ValueError(
            f"{type(policy).__name__} is no plain network of its observation (a memory, or layers "
            "shared by its towers): expected one of PPO, MaskablePPO, A2C, DQN, QR-DQN"
        )
    if hasattr(policy, "q_net"):
        network = network_of_modules(policy.q_net.q_net, "values")
        return PolicyNetworks({"q": network}, "q")
    if hasattr(policy, "quantile_net"):
        network = network_of_modules(policy.quantile_net.quantile_net, "values")
        return PolicyNetworks({"q": _averaged(network, policy.quantile_net.n_quantiles)}, "q")
    tower = policy.mlp_extractor
    return PolicyNetworks(
        {
            "policy": network_of_modules([*tower.policy_net, policy.action_net], "categorical"),
            "value": network_of_modules([*tower.value_net, policy.value_net], "values"),
        },
        "policy",
    )


def untrained(policy: Any, seed: int) -> PolicyNetworks:
    """Towers of the same shape as `policy`'s, with fresh weights as SB3 draws them."""
    # SB3 draws from the global generator: whoever trains beside us must not notice
    with preserve_rng_state():
        torch.manual_seed(seed)
        fresh = type(policy)(**policy._get_constructor_parameters())
    return policy_networks_of(fresh)


def _averaged(network: Network, quantiles: int) -> Network:
    last = network.layers[-1]
    weight = last.weight.reshape(quantiles, -1, last.weight.shape[1]).mean(0)
    bias = last.bias.reshape(quantiles, -1).mean(0)
    layers = (*network.layers[:-1], Layer(weight, bias, last.activation))
    return replace(network, layers=layers)
