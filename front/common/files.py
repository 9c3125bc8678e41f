"""Files written whole or not at all."""

import contextlib
import json
import math
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from myopia.common.errors import first_line

UMASK = os.umask(0o022)
"""What the user keeps from others; it can only be read by setting it, and that once."""
os.umask(UMASK)


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{path.name}.{os.getpid()}-"
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        try:
            write(temporary)
            with temporary.open("rb") as written:  # on the disk before its name is
                os.fsync(written.fileno())
        except Exception as error:
            if type(error).__name__ == "SafetensorError":  # a full disk, in that library's words
                raise OSError(f"{path}: {error}") from None
            raise
        os.chmod(temporary, 0o666 & ~UMASK)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Replace the text of `path`."""
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as JSON; NaN is refused, it is not JSON."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def rewrite_json(path: Path, value: Any) -> None:
    """`write_json`, which also removes what writes that were killed left beside it."""
    if path.parent.is_dir():
        for beside in path.parent.iterdir():
            if beside.name.startswith(f".{path.name}."):
                _remove_temporary(beside)
    write_json(path, value)


MOST_BYTES = 1 << 28
"""Of one file that is read whole: 256 MiB."""


def check_file(path: Path, most: int = MOST_BYTES) -> Path:
    """`path` itself, which is a file of at most `most` bytes, neither a device nor a FIFO.

    Raises ValueError where it is not.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no ordinary file"
        raise ValueError(f"{path}: expected a file, but it is {kind}")
    if found.st_size > most:
        raise ValueError(f"{path} has {found.st_size} bytes, expected at most {most}")
    return path


def read_text(path: Path) -> str:
    """The text of a file. Raises ValueError where it is none."""
    try:
        return check_file(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected text in UTF-8, but {error.reason}") from None


def read_json(path: Path) -> Any:
    """The JSON in `path`, whose numbers are finite.

    Raises ValueError naming the file where it is missing, half written or no JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected JSON, but {first_line(error)}") from None


def read_object(path: Path) -> dict[str, Any]:
    """`read_json` of what holds an object. Raises ValueError where it holds something else."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise ValueError(f"{path}: expected an object, got {type(value).__name__}")
    return value


@contextlib.contextmanager
def reading(path: Path, what: str = "expected what myopia writes") -> Iterator[None]:
    """Around what is made of a file's contents: whatever does not fit is told as damage of it."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ArithmeticError, ValueError) as error:
        if isinstance(error, ValueError) and str(path) in str(error):
            raise
        told = f"{type(error).__name__}: {first_line(error)}"
        raise ValueError(f"{path} is damaged ({told}): {what}") from None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is larger than any number")
    return number


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"a number has {len(text)} digits")
    return int(text)


MOST_DIGITS = 40
"""Of an integer: generators keep 128 bits."""


TEMPORARY = re.compile(r"\..+\.(?:(\d{1,9})-)?[a-z0-9_]{8}(?:\.\w+)?|\.tmp[A-Za-z0-9]{6}", re.ASCII)
"""Names of files that `write_whole` fills, with the writer's number, or safetensors before it.

A kill leaves one behind.
"""


def sweep(folder: Path) -> None:
    """Remove what killed writes left in `folder`; only for who has it `locked`."""
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in ("wandb", "tensorboard")]
        for name in files:
            _remove_temporary(Path(where, name))


def _remove_temporary(path: Path) -> None:
    """Remove what a killed write left; not what somebody writes, who judges a run in training."""
    found = TEMPORARY.fullmatch(path.name)
    if found is None or (found[1] is not None and _lives(int(found[1]))):
        return
    if path.is_file() and not path.is_symlink():
        with contextlib.suppress(OSError):
            path.unlink()


def _lives(process: int) -> bool:
    """Whether there is a process of this number; taken for granted where one cannot ask."""
    if os.name == "nt":  # there the question would be a signal
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """`folder` for this process alone; the lock ends with the process, whatever ends it.

    Raises ValueError where another has it. Where the system has no such locks there is none.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"{folder} is being written to by another process: expected to wait for it, or "
                "another folder"
            ) from None
        except OSError:  # this file system has none
            pass
        yield
    finally:
        os.close(handle)
