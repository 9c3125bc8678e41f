"""Work that is killed at any moment, and begun again, ends as if nothing had happened.

    python benchmarks/kills.py --kills 60 --seed 0

Five kinds of work: a run, several seeds side by side, a population, a study with two workers, and a
run with a cadence. The same command is started again and again, and killed with SIGKILL, until it
ends by itself with 0; then what it left is compared with what the same command leaves when nobody
disturbs it: weights, snapshots, lifetimes, evaluations and selections, and that there are no other
files and no processes. Of the kills a third comes at a random time, a third just before a random
change of a file, a third while a file is written. In a study they end everything, or only the
command, or only a worker. Prints a line for each kind, and what is wrong; ends with 1 where
something is.
"""

import argparse
import collections
import contextlib
import dataclasses
import hashlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import torch

KILLABLE = Path(__file__).resolve().parents[1] / "tests" / "support" / "killable.py"

LONGEST = 180.0
"""Seconds after which a command hangs."""

STUDY = """
title = "Killed"
seeds = [0, 1, 2]
[base]
world = "Work"
algo = "ppo:num_envs=8,n_steps=16,batch_size=32,n_epochs=2,hidden=8"
max_epochs = 6
[conditions.short]
total_timesteps = 1000
[conditions.long]
total_timesteps = 9000
"""

PPO = "ppo:num_envs=8,n_steps=16,batch_size=32,n_epochs=2"
DQN = "dqn:num_envs=8,learning_starts=200,buffer_size=8000,batch_size=32,hidden=256/256"
OFTEN = ("--checkpoint-seconds", "0", "--out", "run")


@dataclasses.dataclass(frozen=True)
class Kind:
    """A command that leaves everything in the folder `run`, and who of it is killed."""

    name: str
    arguments: tuple[str, ...]
    victims: tuple[str, ...] = ("all",)


KINDS = (
    Kind("run", ("train", "Investment", "--algo", DQN, "--total-timesteps", "8000", *OFTEN)),
    Kind(
        "seeds",
        (
            *("train", "Investment", "--algo", PPO, "--seeds", "0:3"),
            *("--total-timesteps", "12000", *OFTEN),
        ),
    ),
    Kind(
        "population",
        (
            *("train", "Dilemma", "--algo", "a2c:num_envs=16,n_steps=16", "--population", "4"),
            *("--rank", "epoch", "--interval", "1000", "--swap"),
            *("--total-timesteps", "8000", *OFTEN),
        ),
    ),
    Kind(
        "study",
        ("study", "../../study.toml", "--workers", "2", "--out", "run"),
        ("all", "parent", "worker"),
    ),
    Kind(
        "cadence",
        (
            *("train", "Investment", "--algo", PPO, "--cadence", "--elicitation-timesteps", "1000"),
            *("--total-timesteps", "12000", *OFTEN),
        ),
    ),
)


@dataclasses.dataclass(frozen=True)
class Moment:
    """Whom to kill, and when: after `seconds`, or before a change is made the `count`th time.

    Or, with a `delay`, so many seconds later.
    """

    victim: str
    seconds: float | None = None
    change: str = ""
    count: int = 0
    delay: float = 0.0

    def __str__(self) -> str:
        """For people."""
        if self.seconds is not None:
            return f"{self.victim} at {self.seconds:.2f} s"
        return f"{self.victim} {1000 * self.delay:.1f} ms after {self.change}, time {self.count}"


@dataclasses.dataclass(frozen=True)
class Ending:
    """How a command ended, and what it changed, in order; the exit code is None where it hangs."""

    code: int | None
    killed: bool
    seconds: float
    changes: list[str]
    said: str


def start(kind: Kind, folder: Path, moment: Moment | None, sessions: list[int]) -> Ending:
    """Run the command in `folder`, to its end or to this moment; notes its session."""
    notes, mark = folder / "notes", folder / "notes.killed"
    notes.unlink(missing_ok=True)
    mark.unlink(missing_ok=True)
    asked = {"folder": str(folder / "run"), "notes": str(notes)}
    if moment is not None and moment.change:
        asked |= {name: getattr(moment, name) for name in ("victim", "change", "count", "delay")}
    began = time.monotonic()
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            [sys.executable, str(KILLABLE), *kind.arguments],
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1", "KILLABLE": json.dumps(asked)},
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        sessions.append(process.pid)
        code, hit = followed(process, moment)
        told.seek(0)
        said = told.read().decode("utf-8", "replace")
    killed = code == -signal.SIGKILL
    if moment is not None and moment.victim == "worker":
        killed |= hit or mark.exists()
    changes = notes.read_text().splitlines() if notes.exists() else []
    return Ending(code, killed, time.monotonic() - began, changes, said)


def followed(process: subprocess.Popen, moment: Moment | None) -> tuple[int | None, bool]:
    """The exit code of a command, None where it hangs, and whether it was there to be hit."""
    hit = False
    try:
        if moment is not None and moment.seconds is not None:
            hit = not ended(process, moment.seconds)
            if hit:
                kill(process.pid, moment.victim)
        return (process.returncode if ended(process, LONGEST) else None), hit
    finally:
        if process.poll() is None:
            kill(process.pid, "all")
            process.wait()


def ended(process: subprocess.Popen, seconds: float) -> bool:
    """Whether a process ends within some seconds."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def kill(command: int, victim: str) -> None:
    """Kill the command with its workers, or the command alone, or one worker if there is one."""
    workers = [pid for pid, words in living(command) if "spawn_main" in words]
    if victim == "worker" and workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(random.choice(workers), signal.SIGKILL)
    elif victim == "parent":
        os.kill(command, signal.SIGKILL)
    else:
        os.killpg(command, signal.SIGKILL)


def living(session: int) -> Iterator[tuple[int, str]]:
    """The processes of a session that have not ended, each with its command line."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, of = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            words = (entry / "cmdline").read_text()
        except OSError:
            continue
        if int(of) == session and state != "Z":
            yield int(entry.name), words


def outlived(sessions: list[int], seconds: float = 10.0) -> list[str]:
    """The processes of these sessions that do not end by themselves within some seconds."""
    until = time.monotonic() + seconds
    while left := [pair for session in sessions for pair in living(session)]:
        if time.monotonic() > until:
            for pid, _ in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return [words.replace("\0", " ") for _, words in left]
        time.sleep(0.05)
    return []


def contents(folder: Path) -> dict[str, str]:
    """What every file in `folder` says, but for TensorBoard's, and for times and dates."""
    paths = (path for path in sorted(folder.rglob("*")) if "tensorboard" not in path.parts)
    return {str(path.relative_to(folder)): digest(path) for path in paths}


def digest(path: Path) -> str:
    """A hash of what a file says that must be the same however often it was interrupted."""
    found = hashlib.sha256()
    if path.is_dir():
        return "a folder"
    if path.name == "run.json":
        record = json.loads(path.read_text())
        record.pop("wall_seconds")
        record.pop("git_commit")  # somebody may commit meanwhile
        found.update(json.dumps(record).encode())
    elif path.suffix == ".parquet":
        for column in pl.read_parquet(path):
            found.update(column.to_numpy().tobytes())
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as parts:  # what is in it besides tells when it was begun
            for name in ("policy.pth", "policy.optimizer.pth"):
                update(found, torch.load(io.BytesIO(parts.read(name)), weights_only=True))
    else:
        found.update(path.read_bytes())
    return found.hexdigest()


def update(found: Any, value: Any) -> None:
    """Add tensors and numbers, in dictionaries and lists, to a hash."""
    if isinstance(value, torch.Tensor):
        found.update(value.numpy().tobytes())
    elif isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in sorted(parts, key=lambda pair: str(pair[0])):
            found.update(str(name).encode())
            update(found, part)
    else:
        found.update(repr(value).encode())


def differences(whole: dict[str, str], parts: dict[str, str]) -> list[str]:
    """A sentence for every file that is not the same in both."""
    return [
        *(f"{name} is missing" for name in whole.keys() - parts.keys()),
        *(f"{name} is left" for name in sorted(parts.keys() - whole.keys())),
        *(f"{name} differs" for name in whole.keys() & parts.keys() if whole[name] != parts[name]),
    ]


FINISHING = ("episodes.parquet", "model.zip", "weights.safetensors", "evaluation.json")


def place(changes: list[str]) -> str:
    """Where a command was when it had made these changes."""
    if not changes:
        return "before the first file"
    event, name = changes[-1].split(" ", 1)
    if name.lstrip(".") in FINISHING or (event == "os.remove" and not name.startswith(".")):
        return "while it finished"
    return "in a write" if event in ("open", "os.chmod", "os.rename") else "in training"


def draw(kind: Kind, whole: Ending, rng: random.Random) -> Moment:
    """When to kill next; of the changes that the whole command makes, each is as likely."""
    victim, how = rng.choice(kind.victims), rng.choice(("time", "change", "write"))
    if how == "time":
        return Moment(victim, seconds=rng.uniform(1, whole.seconds))
    times = collections.Counter(whole.changes)
    writes = [change for change in times if change.startswith("open ")]
    change = rng.choice(sorted(writes if how == "write" else times))
    count = rng.randint(1, min(times[change], 4))
    return Moment(victim, None, change, count, rng.uniform(0, 0.01) if how == "write" else 0.0)


class Campaign:
    """The kills of one kind of work."""

    def __init__(self, kind: Kind, root: Path, seed: int) -> None:
        """Run the command without a kill."""
        self.kind, self.root = kind, root / kind.name
        self.rng = random.Random(f"{kind.name} {seed}")
        self.places: collections.Counter[str] = collections.Counter()
        self.victims: collections.Counter[str] = collections.Counter()
        self.found: list[str] = []
        self.works = 0
        folder = self._folder("whole")
        self.whole = start(kind, folder, None, [])
        if self.whole.code:
            raise RuntimeError(f"{kind.name}, which nobody killed, failed: {self.whole.said}")
        self.contents = contents(folder / "run")

    @property
    def kills(self) -> int:
        """How many there were."""
        return self.places.total()

    def run(self, kills: int) -> None:
        """Work again and again, until so many kills were made; all work is finished."""
        while self.kills < kills:
            self.works += 1
            self._work(self._folder(str(self.works)), kills)

    def _work(self, folder: Path, kills: int) -> None:
        sessions, moments = [], []
        while True:
            moment = draw(self.kind, self.whole, self.rng) if self.kills < kills else None
            ending = start(self.kind, folder, moment, sessions)
            if ending.killed and moment is not None:
                self.places[place(ending.changes)] += 1
                self.victims[moment.victim] += 1
                moments.append(moment)
            wrong = self._judge(ending, moment)
            if wrong or ending.code == 0:
                break
        if not wrong:
            wrong = differences(self.contents, contents(folder / "run"))
        wrong += [f"a process is left: {words}" for words in outlived(sessions)]
        told = ", ".join(map(str, moments))
        self.found += [f"{folder.name}: {what} (killed: {told})" for what in wrong]

    def _judge(self, ending: Ending, moment: Moment | None) -> list[str]:
        """What is wrong with how a command ended."""
        expected = {0}
        if ending.killed and moment is not None:
            # a study whose worker died tells which run failed by it
            expected = {0, 1, -signal.SIGKILL} if moment.victim == "worker" else {-signal.SIGKILL}
        if ending.code in expected:
            return []
        how = "hangs" if ending.code is None else f"ended with {ending.code}"
        return [f"{how}: {ending.said[-1500:]}"]

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        folder.mkdir(parents=True)
        return folder

    def line(self, seconds: float) -> str:
        """What was seen."""
        verdict = f"{len(self.found)} wrong" if self.found else "equal"
        return (
            f"{self.kind.name}: kills {self.kills}, works {self.works}; {listed(self.places)}; "
            f"{listed(self.victims)}; {seconds:.0f} s; {verdict}"
        )


def listed(counts: collections.Counter[str]) -> str:
    """Names with their counts."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def main() -> int:
    """Every kind of work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60, help="of all kinds together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="keep the folders there; none may be in it yet")
    options = parser.parse_args()
    found = 0
    with tempfile.TemporaryDirectory() as scratch:
        root = (options.out or Path(scratch)).resolve()
        root.mkdir(parents=True, exist_ok=True)
        (root / "study.toml").write_text(STUDY)
        for number, kind in enumerate(KINDS):
            began = time.monotonic()
            campaign = Campaign(kind, root, options.seed)
            campaign.run((options.kills + number) // len(KINDS))
            print(campaign.line(time.monotonic() - began), *campaign.found, sep="\n  ", flush=True)
            found += len(campaign.found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
