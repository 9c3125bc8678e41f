"""PPO with a memory: the learner that can optimise across epochs by remembering."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import sb3_contrib
import torch
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from typing_extensions import override

from myopia.agents.algorithms.base import algorithm
from myopia.agents.algorithms.on_policy import Clipped
from myopia.agents.credit import CreditedRecurrentBuffer, CreditedRollouts
from myopia.common.errors import check_positive
from myopia.envs.credit.credit import Credit


class CreditedRecurrentPPO(CreditedRollouts, sb3_contrib.RecurrentPPO):
    """sb3-contrib's RecurrentPPO under a credit mode; its memory lasts a lifetime in each."""

    def _setup_model(self) -> None:
        super()._setup_model()
        made: Any = self.rollout_buffer  # sb3-contrib lets nobody choose the class
        self.rollout_buffer = CreditedRecurrentBuffer(
            made.buffer_size,
            made.observation_space,
            made.action_space,
            made.hidden_state_shape,
            made.device,
            credit=Credit.of(self.credit),
            gamma=made.gamma,
            gae_lambda=made.gae_lambda,
            n_envs=made.n_envs,
        )


@algorithm
@dataclasses.dataclass(frozen=True)
class RecurrentPPO(Clipped):
    """An LSTM of `memory` units before the policy's and the value's towers."""

    model_class = CreditedRecurrentPPO
    policy_name = "MlpLstmPolicy"
    policy_class = RecurrentActorCriticPolicy
    recurrent = True
    total_timesteps = 400_000
    num_envs: int = 64
    n_steps: int = 48
    batch_size: int = 768
    memory: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self, "memory")

    @override
    def own_settings(self) -> dict[str, Any]:
        own = super().own_settings()
        del own["memory"]  # it is the policy's
        return own

    @override
    def policy_settings(self) -> dict[str, Any]:
        return {**super().policy_settings(), "lstm_hidden_size": self.memory}

    @override
    def policy_settings_of(
        self, weights: Mapping[str, torch.Tensor], inputs: int, actions: int
    ) -> dict[str, Any]:
        """The towers stand on memories of equal size."""
        shapes = []
        while (name := f"lstm_actor.weight_hh_l{len(shapes)}") in weights:
            shapes.append(tuple(weights[name].shape))
        if not shapes:
            raise ValueError(f"{name} is missing")
        memory = (0, *shapes[0])[-1]
        if set(shapes) != {(4 * memory, memory)}:
            raise ValueError(f"lstm_actor has layers of the shapes {shapes}, expected (4 n, n)")
        critic = any(name.startswith("lstm_critic.") for name in weights)
        return {
            **super().policy_settings_of(weights, memory, actions),
            "lstm_hidden_size": memory,
            "n_lstm_layers": len(shapes),
            "enable_critic_lstm": critic,
            "shared_lstm": not critic and "critic.weight" not in weights,
        }
