"""Files written whole or not at all."""

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

UMASK = os.umask(0o022)
"""What the user keeps from others; it can only be read by setting it, and that once."""
os.umask(UMASK)


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
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


def read_json(path: Path) -> Any:
    """The JSON in `path`. Raises ValueError naming the file where it is missing or half written."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected JSON, but {error}") from None


TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}(\.\w+)?")
"""Names of files that `write_whole` fills: a kill leaves one behind."""


def sweep(folder: Path) -> None:
    """Remove what killed writes left in `folder`; only for who has it `locked`."""
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in ("wandb", "tensorboard")]
        for name in files:
            path = Path(where, name)
            if TEMPORARY.fullmatch(name) and path.is_file() and not path.is_symlink():
                with contextlib.suppress(OSError):
                    path.unlink()


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
