"""Input that nobody would write: command lines, and files that something happened to.

Each case runs in a fork of this process, which has everything imported, in a folder of its own. A
case holds where the command ends by itself, with 0, 1 or 2, says what is wrong in one line, and
leaves nothing outside of its folder.
"""

import contextlib
import dataclasses
import io
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

SECONDS = 60
MEMORY = 6 << 30
LONGEST = 1200

NASTY: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 3.5, -0.0, 1e308, -1e308, 10**30, 2**63, 1e-320),
    *("", " ", "x", "\n", "../x", "/etc/passwd", "é" * 40, "x" * 5000, "0", "1e400", "nan", "٣"),
    *([], {}, [[]], [None], {"": 0}, [1, 2, 3], ["a"], {"a": {"b": []}}),
)
WORDS = (
    *("0", "1", "-1", "1e12", "99999999999999999999", "1e400", "nan", "inf", "٣", "1_0", " 1", ""),
    *("x", "ppo", "dqn:", "ppo:gamma=2", "ppo:hidden=0", "ppo:hidden=100000/100000", "random"),
    *("oracle:delta=0.5", "oracle:delta=", "stop-at:99", "always:x", "lookahead:٣", "module:f"),
    *("Investment", "Work", "work", "Nope", "a:b", "a.py:b", "..", "/dev/null", "/", "runs", "."),
    *("gain=1", "gain=x", "gain=", "=1", "gain==1", "max_epochs=1e9", "epoch_length=0"),
    *("schedule=linear:cutoff=4", "schedule=linear", "schedule=table:weight=1/2", "index=noisy"),
    *("shutdown=absent", "shutdown_reward=1e308", "max_wealth=1e308", "window:0", "discount:2"),
    *("epoch", "0:3", "0:99999999999", "3:0", "a:b", "all", "none", "é", "--", "-", "*", "[", "$x"),
    *("json", "png", "cuda", "cpu", "auto", "x" * 3000, "a\nb", "\x1b[31m", "quickstart"),
)


@dataclasses.dataclass(frozen=True)
class Finding:
    """A case that does not hold."""

    seed: int
    what: str
    arguments: tuple[str, ...]
    why: str
    said: str


def run_case(
    arguments: Sequence[str], folder: Path, seconds: int = SECONDS
) -> tuple[int | None, str, str]:
    """Exit code (None where it had to be killed), and both streams, of a command in `folder`."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            code = 70
            try:
                os.chdir(folder)
                os.environ["HOME"] = str(folder)
                os.setsid()
                for stream, number in ((out, 1), (err, 2)):
                    os.dup2(stream.fileno(), number)
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False))
                sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", closefd=False))
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
                from myopia.cli.main import main

                code = main(list(arguments))
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
            except BaseException:
                traceback.print_exc()
            finally:
                with contextlib.suppress(Exception):
                    sys.stdout.flush()
                    sys.stderr.flush()
                os._exit(code)
        ended, waited = 0, time.monotonic()
        status = 0
        while not ended and time.monotonic() - waited < seconds:
            ended, status = os.waitpid(child, os.WNOHANG)
            time.sleep(0.002)
        if not ended:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
        code = os.waitstatus_to_exitcode(status) if ended else None
        return code, texts[0], texts[1]


def judged(code: int | None, out: str, err: str) -> str | None:
    """Why a case does not hold, or None."""
    if code is None:
        return "hangs"
    if "Traceback (most recent call last)" in err + out:
        return "traceback"
    if code not in (0, 1, 2):
        return f"exit code {code}"
    if code == 2:
        told = [line for line in err.splitlines() if line.startswith("myopia: ")]
        if len(told) != 1:
            return f"{len(told)} sentences"
        if len(told[0]) > LONGEST:
            return f"a sentence of {len(told[0])} characters"
    return None


def linked(source: Path, target: Path) -> None:
    """A copy of a folder by hard links: what is changed in it is replaced first."""
    shutil.copytree(source, target, copy_function=os.link, symlinks=True)


def _paths(value: Any, path: tuple = ()) -> Iterator[tuple]:
    yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in items:
            yield from _paths(part, (*path, key))


def changed_json(text: str, rng: random.Random) -> str:
    """JSON with something in it replaced, removed, doubled, or no JSON any more."""
    kind = rng.random()
    if kind < 0.1:
        return rng.choice(
            ["", "[", "null", "1" * 100_000, "[" * 100_000, '{"a":' * 50_000, "NaN", "\ud800"[:0]]
        )
    value = json.loads(text)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        path = rng.choice(list(_paths(value)))
        if not path:
            if rng.random() < 0.1:
                value = rng.choice(NASTY)
            continue
        where = value
        try:
            for key in path[:-1]:
                where = where[key]
            if rng.random() < 0.2:
                del where[path[-1]]
            elif rng.random() < 0.1 and isinstance(where, list):
                where.extend(where[:50])
            else:
                where[path[-1]] = rng.choice(NASTY)
        except (KeyError, IndexError, TypeError):
            continue
    told = json.dumps(value)
    if rng.random() < 0.05:
        told = told.replace("1", "1" * 5000, 1)
    return told


def changed_bytes(data: bytes, rng: random.Random) -> bytes:
    """Bytes flipped, cut, zeroed, doubled or grown."""
    kind, size = rng.randrange(6), len(data)
    if kind == 0 or not size:
        return data[: rng.randrange(size + 1)]
    changed = bytearray(data)
    if kind in (1, 2):
        for _ in range(rng.choice([1, 1, 3, 30])):
            # headers are where structure is
            place = rng.randrange(min(size, 2000) if rng.random() < 0.5 else size)
            changed[place] = rng.randrange(256)
    elif kind == 3:
        start = rng.randrange(size)
        changed[start : start + rng.randrange(1, 200)] = b"\0" * rng.randrange(200)
    elif kind == 4:
        changed += bytes(rng.randrange(256) for _ in range(rng.randrange(1, 100)))
    else:
        start = rng.randrange(size)
        changed[start:start] = changed[: rng.randrange(1, 500)]
    return bytes(changed)


def changed_text(text: str, rng: random.Random) -> str:
    """Lines of a TOML file dropped, doubled, or with a word of them replaced.

    But for how long is trained: the preset's time would look like a hang.
    """
    lines = [line for line in text.splitlines() if not line.startswith("total_timesteps")]
    kept = [line for line in text.splitlines() if line.startswith("total_timesteps")]
    for _ in range(rng.choice([1, 1, 2, 3])):
        place = rng.randrange(len(lines))
        kind = rng.randrange(4)
        if kind == 0:
            del lines[place]
        elif kind == 1:
            lines.insert(place, rng.choice(lines))
        elif kind == 2:
            head, equals, _ = lines[place].partition("=")
            lines[place] = f"{head}{equals} {json.dumps(rng.choice(NASTY))}"
        else:
            lines[place] = rng.choice(WORDS)
        if not lines:
            return ""
    place = next((n for n, line in enumerate(lines) if line.startswith("[base]")), -1)
    return "\n".join([*lines[: place + 1], *kept, *lines[place + 1 :]])


def change_file(path: Path, rng: random.Random) -> str:
    """Replace a file by something else; says by what."""
    data = path.read_bytes()
    path.unlink()
    kind = rng.random()
    if kind < 0.03:
        path.mkdir()
        return "a folder"
    if kind < 0.05:
        os.mkfifo(path)
        return "a FIFO"
    if kind < 0.06:
        path.symlink_to("/dev/zero")
        return "a link to a device"
    if kind < 0.07:
        return "nothing"
    if path.suffix == ".json" and kind < 0.9:
        path.write_text(changed_json(data.decode(), rng), encoding="utf-8")
        return "other JSON"
    if path.suffix in (".toml",) and kind < 0.9:
        path.write_text(changed_text(data.decode(), rng), encoding="utf-8")
        return "other text"
    path.write_bytes(changed_bytes(data, rng))
    return "other bytes"


FLAGS = (
    *("--json", "--out", "--seed", "--seeds", "--algo", "--credit", "--total-timesteps", "--steps"),
    *("--device", "--probe", "--lifetimes", "--greedy", "--trust", "--workers", "--world-module"),
    *("--population", "--rank", "--interval", "--spread", "--swap", "--cadence", "--delta"),
    *("--gamma", "--figures", "--format", "--csv", "--latex", "--exact", "--list", "--runs"),
    *("--basis", "--directions", "--widths", "--checkpoint-seconds", "--nope", "-h", "--version"),
)


LONG = ("demo", "bench", "s-curves", "capability", "reproduce")


def command_line(commands: Sequence[str], rng: random.Random) -> list[str]:
    """A command with words and options that may or may not be its own; nothing that trains long."""
    arguments = [rng.choice([*commands, rng.choice(WORDS)])]
    for _ in range(rng.randrange(6)):
        if rng.random() < 0.5:
            arguments.append(rng.choice(WORDS))
        else:
            flag = rng.choice(FLAGS)
            arguments += [flag] if rng.random() < 0.3 else [flag, rng.choice(WORDS)]
    if arguments[0] == "train":
        arguments += ["--total-timesteps", rng.choice(["64", "1"])]
    if arguments[0] in ("toy", "audit"):
        arguments += ["--steps", "1"]
    if arguments[0] in LONG:  # by themselves they run for minutes
        arguments += [rng.choice(("--help", "--nope", "--steps", "x=1"))]
    return arguments


def files_of(folder: Path, names: Callable[[Path], bool]) -> list[Path]:
    """The files in `folder` that `names` chooses, in order, relative to it."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path.relative_to(folder) for path in found if names(path)]
