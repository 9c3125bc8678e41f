"""PPO with a memory: the learner that can optimise across epochs by remembering."""

import dataclasses
from typing import Any

import sb3_contrib
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy

from myopia.agents.algorithm import register
from myopia.agents.credit import CreditedRollouts
from myopia.agents.on_policy import Clipped


class CreditedRecurrentPPO(CreditedRollouts, sb3_contrib.RecurrentPPO):
    """sb3-contrib's RecurrentPPO under a credit mode; its memory lasts a lifetime in each."""


@register
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

    def policy_settings(self) -> dict[str, Any]:
        """See OnPolicy.policy_settings."""
        return {**super().policy_settings(), "lstm_hidden_size": self.memory}
