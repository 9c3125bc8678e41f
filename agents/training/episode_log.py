"""What happened in the lifetimes of a training run: `episodes.parquet` and `epoch/...` scalars."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from typing_extensions import override

from myopia.agents.fast_ppo.rollout_callback import RolloutCallback
from myopia.agents.fast_ppo.simulator import Trace
from myopia.common.files import write_whole

SCHEMA = {
    "timesteps": pl.Int64,  # of the training, when the lifetime ended
    "reward": pl.Float64,
    "length": pl.Int64,
    "stop_epoch": pl.Int64,  # K where it ran to the end
}
"""Columns of `episodes.parquet`, one row for each lifetime that ended."""


class LifetimeLog:
    """Collects lifetimes and epochs, in arrays of any size at a time."""

    FEW = 100  # a mean over fewer lifetimes than this is not reported yet

    def __init__(self, path: Path, max_epochs: int) -> None:
        self.path, self.max_epochs = path, max_epochs
        self._tables: list[pl.DataFrame] = []
        self._rows: dict[str, list[np.ndarray]] = {name: [] for name in SCHEMA}
        self._clear()

    def add_lifetimes(self, timesteps: Any, reward: Any, length: Any, stop_epoch: Any) -> None:
        """Lifetimes that ended, arrays (n,)."""
        for name, values in zip(SCHEMA, (timesteps, reward, length, stop_epoch), strict=True):
            self._rows[name].append(np.asarray(values))
        self._stops += np.bincount(stop_epoch, minlength=self.max_epochs + 1)

    def add_epochs(self, epoch: Any, reward: Any) -> None:
        """Epochs that ended, and what each paid, arrays (n,)."""
        self._epochs += np.bincount(epoch, minlength=self.max_epochs)
        self._rewards += np.bincount(epoch, weights=reward, minlength=self.max_epochs)

    def scalars(self) -> dict[str, float]:
        """Means since they were last asked for; empty while there are few lifetimes."""
        lifetimes = self._stops.sum()
        if lifetimes < self.FEW:
            return {}
        epochs = np.arange(self.max_epochs + 1)
        found = {"epoch/stop_epoch": float(self._stops @ epochs / lifetimes)}
        going = 1 - np.cumsum(self._stops) / lifetimes
        for k in range(self.max_epochs):
            found[f"epoch/survival_{k:02d}"] = float(going[k])
            if self._epochs[k]:
                found[f"epoch/reward_{k:02d}"] = float(self._rewards[k] / self._epochs[k])
        self._clear()
        return found

    def write(self) -> None:
        """Replace `episodes.parquet` by everything so far."""
        table = self._table()
        write_whole(self.path, lambda temporary: write_parquet(temporary, table))

    def read(self, timesteps: int) -> None:
        """Go on from the file that an interrupted run left, as it was after `timesteps`."""
        if self.path.exists():
            self._tables = [read_parquet(self.path).filter(pl.col("timesteps") <= timesteps)]

    def _table(self) -> pl.DataFrame:
        columns = {
            name: np.concatenate(parts) if parts else [] for name, parts in self._rows.items()
        }
        self._tables = [pl.concat([*self._tables, pl.DataFrame(columns, schema=SCHEMA)])]
        self._rows = {name: [] for name in SCHEMA}
        return self._tables[0]

    def _clear(self) -> None:
        self._stops = np.zeros(self.max_epochs + 1, dtype=np.int64)
        self._epochs = np.zeros(self.max_epochs, dtype=np.int64)
        self._rewards = np.zeros(self.max_epochs)


def read_parquet(path: Path) -> pl.DataFrame:
    """The table in a file. Opened here, because polars reads `*`, `[`, `~` and `=` in paths."""
    with path.open("rb") as file:
        return pl.read_parquet(file)


def write_parquet(path: Path, table: pl.DataFrame) -> None:
    """Write a table; see `read_parquet`."""
    with path.open("wb") as file:
        table.write_parquet(file)


class LifetimeCallback(RolloutCallback):
    """Feeds a log from a training, and SB3's logger from the log."""

    def __init__(self, log: LifetimeLog) -> None:
        super().__init__()
        self.log = log
        self._earned = np.zeros(0)  # in the epoch under way, by each env

    @override
    def _on_step(self) -> bool:
        infos = self.locals["infos"]
        if not len(self._earned):
            self._earned = np.zeros(len(infos))
        self._earned += self.locals["rewards"]
        closed = [env for env, info in enumerate(infos) if info.get("epoch_end")]
        if closed:
            self.log.add_epochs([infos[env]["epoch"] for env in closed], self._earned[closed])
            self._earned[closed] = 0.0
            ended = [infos[env] for env in closed if "episode" in infos[env]]
            if ended:
                self.log.add_lifetimes(
                    np.full(len(ended), self.num_timesteps),
                    np.array([info["episode"]["r"] for info in ended]),
                    np.array([info["episode"]["l"] for info in ended]),
                    np.array([info["stop_epoch"] for info in ended]),
                )
        return True

    def _on_rollout_end(self) -> None:
        for name, value in self.log.scalars().items():
            self.logger.record(name, value)

    @override
    def _on_rollout(self, trace: Trace) -> bool:
        steps, envs = trace.ended.shape
        if not len(self._earned):
            self._earned = np.zeros(envs)
        rewards, paid = trace.reward.astype(np.float32), []
        for reward, closed in zip(rewards, trace.epoch_end, strict=True):
            self._earned += reward
            paid.append(self._earned[closed])
            self._earned[closed] = 0.0
        self.log.add_epochs(trace.epoch[trace.epoch_end], np.concatenate(paid))
        ended = trace.ended
        before = self.num_timesteps - steps * envs
        now = np.broadcast_to(before + envs * np.arange(1, steps + 1)[:, None], ended.shape)
        self.log.add_lifetimes(
            now[ended], trace.lifetime_reward[ended], trace.length[ended], trace.stop_epoch[ended]
        )
        return True
