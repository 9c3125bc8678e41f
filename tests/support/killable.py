"""The `myopia` command, which notes what it changes in a folder, and may be killed before a change.

    KILLABLE='{"folder": "run", "notes": "notes.jsonl"}' python killable.py train Work --out run

With `"victim"`, `"change"` and `"count"` beside them, the first process that is about to make this
change for the `count`th time kills all (`all`), itself (`worker`) or who started it (`parent`), at
once or after `"delay"` seconds. Worker processes of a study import this file, too, and so are
followed as well.
"""

import collections
import json
import multiprocessing
import os
import re
import signal
import sys
import time

CHANGES = ("open", "os.chmod", "os.mkdir", "os.remove", "os.rename", "os.rmdir")
"""What Python tells an audit hook, just before it is done."""

TEMPORARY = re.compile(r"(\..+)\.[a-z0-9_]{8}(\.\w+)?")


def plain(name: str) -> str:
    """A file's name without numbers, and without what is drawn in the name of a temporary file."""
    temporary = TEMPORARY.fullmatch(name)
    return re.sub(r"\d+", "#", temporary[1] if temporary else name)


def follow(
    folder: str, notes: str, victim: str = "", change: str = "", count: int = 0, delay: float = 0
) -> None:
    """Note every change in `folder`, a line each, in the file `notes`."""
    top = os.path.abspath(folder)
    log = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    seen = collections.Counter()

    def hook(event: str, arguments: tuple) -> None:
        if event not in CHANGES:
            return
        if event == "open" and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR):
            return
        path = arguments[1 if event == "os.rename" else 0]
        if isinstance(path, int):
            return
        path = os.path.abspath(os.fsdecode(path))
        if not path.startswith(top) or "tensorboard" in path:
            return
        what = f"{event} {plain(os.path.basename(path))}"
        seen[what] += 1
        os.write(log, f"{what}\n".encode())
        if what == change and seen[what] == count and _first(notes + ".killed"):
            kill(_number(victim), delay)

    sys.addaudithook(hook)


def _first(path: str) -> bool:
    """Whether nobody has made this file before; afterwards somebody has."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def _number(victim: str) -> int:
    """The process, or below 0 the group of processes, that is meant."""
    if victim == "all":
        return -os.getpgid(0)
    is_worker = multiprocessing.parent_process() is not None
    return os.getppid() if victim == "parent" and is_worker else os.getpid()


def kill(process: int, delay: float) -> None:
    """Kill a process; after a delay another process does, while this one goes on."""
    if delay:
        if os.fork():
            return
        time.sleep(delay)
    os.kill(process, signal.SIGKILL)
    os._exit(1)


if "KILLABLE" in os.environ:
    follow(**json.loads(os.environ["KILLABLE"]))

if __name__ == "__main__":
    from myopia.cli.main import main

    sys.exit(main(sys.argv[1:]))
