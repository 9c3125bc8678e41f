"""What happened in the lifetimes of a training run: `episodes.parquet` and `epoch/...` scalars."""

import contextlib
import hashlib
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from typing_extensions import override

from myopia.agents.fast_ppo.rollout_callback import RolloutCallback
from myopia.agents.fast_ppo.simulator import Trace
from myopia.common.errors import first_line
from myopia.common.files import check_file, write_whole

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
        self._parts: dict[str, str] = {}  # file -> SHA-256, in the order of time
        self._before: list[pl.DataFrame] = []  # what a run of format 1 had written
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
        """Write `episodes.parquet`: everything, from the parts and since the last of them."""
        parts = [read_parquet(self._folder / name) for name in self._parts]
        table = pl.concat([*self._before, *parts, self._table()])
        write_whole(self.path, lambda temporary: write_parquet(temporary, table))

    def checkpoint(self, timesteps: int) -> dict[str, str]:
        """Write the lifetimes since the last one beside the checkpoint, as a part of its own.

        Returns the parts so far, file -> SHA-256: what `restore` is to be given.
        """
        rows = self._table()
        if self._before or len(rows):
            rows = pl.concat([*self._before, rows])
            name = f"{timesteps:012d}.parquet"
            write_whole(self._folder / name, lambda temporary: write_parquet(temporary, rows))
            self._parts[name] = _digest(self._folder / name)
            self._before, self._rows = [], {column: [] for column in SCHEMA}
        return dict(self._parts)

    def restore(self, parts: Any, timesteps: int) -> None:
        """Go on from the parts of a checkpoint; later ones are removed.

        `parts` is None in a checkpoint of format 1: then `episodes.parquet`, up to `timesteps`.
        Raises ValueError where a part is missing or another.
        """
        if parts is None:
            if self.path.exists():
                table = read_parquet(self.path)
                self._before = [table.filter(pl.col("timesteps") <= timesteps)]
            return
        if not isinstance(parts, dict) or not all(map(PART.fullmatch, parts)):
            raise ValueError(f"{self._folder}: the checkpoint names no files of lifetimes")
        for name, digest in parts.items():
            path = self._folder / name
            if not path.is_file() or _digest(path) != digest:
                raise ValueError(
                    f"{path} is missing or damaged: delete {self._folder.parent} to train from the "
                    "start"
                )
        self._parts = dict(parts)
        _remove(self._folder, but=self._parts)

    @property
    def _folder(self) -> Path:
        return _parts_of(self.path.parent)

    def _table(self) -> pl.DataFrame:
        columns = {
            name: np.concatenate(parts) if parts else [] for name, parts in self._rows.items()
        }
        return pl.DataFrame(columns, schema=SCHEMA)

    def _clear(self) -> None:
        self._stops = np.zeros(self.max_epochs + 1, dtype=np.int64)
        self._epochs = np.zeros(self.max_epochs, dtype=np.int64)
        self._rewards = np.zeros(self.max_epochs)


PART = re.compile(r"\d{12,}\.parquet")


def remove_parts(run: Path) -> None:
    """Remove the parts of a run that is done."""
    _remove(_parts_of(run), but=())
    with contextlib.suppress(OSError):  # there is none, or it holds what is not ours
        _parts_of(run).rmdir()


def _parts_of(run: Path) -> Path:
    return run / "checkpoint" / "episodes"


def _remove(folder: Path, but: Collection[str]) -> None:
    if folder.is_dir() and not folder.is_symlink():
        for file in folder.iterdir():
            if PART.fullmatch(file.name) and file.name not in but and not file.is_dir():
                file.unlink()


def _digest(path: Path) -> str:
    return hashlib.sha256(check_file(path).read_bytes()).hexdigest()


def read_parquet(path: Path) -> pl.DataFrame:
    """The table in a file. Opened here, because polars reads `*`, `[`, `~` and `=` in paths."""
    try:
        with check_file(path).open("rb") as file:
            table = pl.read_parquet(file)
        if dict(table.schema) != SCHEMA:
            raise TypeError(f"it has the columns {', '.join(table.columns)[:100]}")
    except (ValueError, OSError):
        raise
    except BaseException as error:  # polars panics on some damage, which is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise ValueError(
            f"{path} is damaged ({first_line(error)}): no table of lifetimes"
        ) from None
    return table


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
