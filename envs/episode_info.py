"""The `info` of a single env: what one lifetime has earned so far, told where it is due."""

from typing import Any


class EpisodeInfo:
    """Sums over one lifetime; both single envs keep one."""

    def __init__(self, max_epochs: int, episode: bool) -> None:
        self.max_epochs, self.episode = max_epochs, episode
        self.length = 0
        self.lifetime_reward = self.epoch_payoff = 0.0

    def record(
        self,
        epoch: int,
        payoff: float,
        reward: float,
        *,
        epoch_end: bool,
        ended: bool,
        stopped: bool,
        ignored: bool,
    ) -> dict[str, Any]:
        """The info of a step; `epoch` is the one in which the action was taken."""
        self.length += 1
        self.epoch_payoff += payoff
        self.lifetime_reward += reward
        info: dict[str, Any] = {"epoch": epoch, "payoff": payoff, "epoch_end": epoch_end}
        if epoch_end:
            info["epoch_payoff"] = self.epoch_payoff
            self.epoch_payoff = 0.0
            if ended:
                info["stop_epoch"] = epoch if stopped else self.max_epochs
                if self.episode:
                    info["episode"] = {"r": self.lifetime_reward, "l": self.length}
        if ignored:
            info["shutdown_ignored"] = True
        return info
