"""DQN on the quantiles of the return (arXiv 1710.10044), as sb3-contrib has it."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import sb3_contrib
import torch
from sb3_contrib.qrdqn.policies import QRDQNPolicy
from typing_extensions import override

from myopia.agents.algorithms.base import algorithm
from myopia.agents.algorithms.q_learning import QLearning
from myopia.agents.policies.widths import layer_widths
from myopia.common.errors import check_positive


@algorithm
@dataclasses.dataclass(frozen=True)
class QRDQN(QLearning):
    """Quantile regression DQN: acts on the mean of `quantiles` quantiles."""

    model_class = sb3_contrib.QRDQN
    policy_class = QRDQNPolicy
    network = "quantile_net.quantile_net"
    total_timesteps = 150_000
    quantiles: int = 25

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "quantiles")

    @override
    def own_settings(self) -> dict[str, Any]:
        return {}  # the quantiles are the policy's

    @override
    def policy_settings(self) -> dict[str, Any]:
        return {**super().policy_settings(), "n_quantiles": self.quantiles}

    @override
    def policy_settings_of(
        self, weights: Mapping[str, torch.Tensor], inputs: int, actions: int
    ) -> dict[str, Any]:
        """Every action has the same number of outputs."""
        *hidden, outputs = layer_widths(weights, self.network, inputs) or [0]
        if not outputs or outputs % actions:
            raise ValueError(
                f"{self.network} has {outputs} outputs, expected a multiple of {actions}"
            )
        return {"net_arch": hidden, "n_quantiles": outputs // actions}

    @override
    def values(self, policy: Any, observations: torch.Tensor) -> torch.Tensor:
        return policy.quantile_net(observations).mean(dim=1)
