"""What the members of a population are ranked on."""

from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

RANKS = {
    "none": "no selection: the learners only train side by side",
    "epoch": "mean reward of the last epoch that ended in each env",
    "lifetime": "mean reward of the lifetimes that ended since the last selection",
}
"""Name -> what it means."""


class Fitness(BaseCallback):
    """What a member earned, for the ranking."""

    def __init__(self, rank: str) -> None:
        super().__init__()
        self.rank = rank
        self._earned = self._last = np.zeros(0)
        self._lifetimes: list[float] = []

    def _on_step(self) -> bool:
        infos = self.locals["infos"]
        if not len(self._earned):
            self._earned, self._last = np.zeros(len(infos)), np.full(len(infos), np.nan)
        self._earned += self.locals["rewards"]
        for env, info in enumerate(infos):
            if info.get("epoch_end"):
                self._last[env], self._earned[env] = self._earned[env], 0.0
            if "episode" in info:
                self._lifetimes.append(info["episode"]["r"])
        return True

    def take(self) -> float | None:
        """The score since the last selection, or None where nothing has ended yet."""
        lifetimes, self._lifetimes = self._lifetimes, []
        if self.rank == "lifetime":
            return float(np.mean(lifetimes)) if lifetimes else None
        return None if np.isnan(self._last).all() else float(np.nanmean(self._last))

    def state(self) -> dict[str, Any]:
        """What has been earned so far, as JSON."""
        sums = {"earned": self._earned.tolist(), "last": self._last.tolist()}
        return {**sums, "lifetimes": self._lifetimes}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._earned, self._last = np.array(state["earned"]), np.array(state["last"])
        self._lifetimes = list(state["lifetimes"])
