"""What SB3's PPO logs of an update."""

from typing import Any, NamedTuple

import numpy as np

from myopia.agents.fast_ppo.loss import Losses

COLUMNS = (*Losses._fields, "entropy", "active")
"""What is noted of each minibatch; `active` is 0 from the one on that broke the KL limit."""


class UpdateLog(NamedTuple):
    """An update of S models."""

    minibatches: dict[str, np.ndarray]  # (minibatches, S) for each of COLUMNS
    per_epoch: int
    explained_variance: np.ndarray  # (S,)

    @staticmethod
    def of(notes: np.ndarray, per_epoch: int, explained_variance: np.ndarray) -> "UpdateLog":
        """From what is noted of each minibatch, (minibatches, len(COLUMNS), S)."""
        columns = dict(zip(COLUMNS, notes.swapaxes(0, 1), strict=True))
        return UpdateLog(columns, per_epoch, explained_variance)

    @property
    def updates(self) -> list[int]:
        """How many minibatches each model learned from."""
        return self.minibatches["active"].sum(0).astype(int).tolist()

    def epochs(self, model: int) -> int:
        """How many passes the model began."""
        return -(-self._looked_at(model) // self.per_epoch)

    def entries(self, model: int, settings: Any) -> dict[str, float]:
        """SB3's log entries of one model; `settings` is the model."""
        seen = self._looked_at(model)
        first = (self.epochs(model) - 1) * self.per_epoch
        noted = {name: column[:seen, model] for name, column in self.minibatches.items()}
        loss = (
            noted["policy"]
            - settings.ent_coef * noted["entropy"]
            + settings.vf_coef * noted["value"]
        )
        return {
            "entropy_loss": -noted["entropy"].mean(),
            "policy_gradient_loss": noted["policy"].mean(),
            "value_loss": noted["value"].mean(),
            "approx_kl": noted["kl"][first:].mean(),
            "clip_fraction": noted["clip_fraction"].mean(),
            "loss": loss[-1],
            "explained_variance": self.explained_variance[model],
        }

    def _looked_at(self, model: int) -> int:
        active = self.minibatches["active"][:, model]
        # the minibatch that broke the limit was looked at, but not learned from
        return min(len(active), int(active.sum()) + 1)
