"""Which modules may come from the current folder: those that its user names, and no others.

Libraries look for dozens of optional modules that are not installed (`gym`, `psutil`, `cv2`, ...).
Python searches the current folder, or that of the script, for them, and runs what it finds there,
also where that folder came with somebody's download. So these folders are taken off the path
wherever this package works. A module in them is found by the code beside it (a script imports its
neighbours), or because its user named it; never because a library looked for one of that name.
"""

import atexit
import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from threading import RLock
from types import FrameType
from typing import Any

SAFE_PATH = "PYTHONSAFEPATH"
"""Set, it keeps the current folder off the path of the Python programs that are started."""


STANDARD = ("copy", "pickle", "subprocess", "multiprocessing.connection")
"""Modules of the standard library that look for those of other systems: `org`, `msvcrt`, ..."""


class NeighbourFinder(MetaPathFinder):
    """Finds the modules in `folder` for code in it, and those in `named` for everybody."""

    def __init__(self, folder: str, holds_script: bool) -> None:
        self.folder, self.holds_script = folder, holds_script
        self.named: set[str] = set()

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """See importlib: the module's place, or None where this finder has none to offer."""
        if path is not None:  # within a package, which says itself where its modules are
            return None
        if fullname not in self.named and not self._is_neighbour(_importer(sys._getframe(1))):
            return None
        return PathFinder.find_spec(fullname, [self.folder])

    def _is_neighbour(self, frame: FrameType | None) -> bool:
        """Whether the code in this frame belongs to a module of the folder."""
        if frame is None:
            return False
        name, file = frame.f_globals.get("__name__", ""), frame.f_globals.get("__file__")
        if name in ("__main__", "__mp_main__"):
            return self.holds_script
        if not isinstance(file, str):
            return False
        place, package = os.path.realpath(file), str(name).partition(".")[0]
        return os.path.dirname(place) == self.folder or place.startswith(
            os.path.join(self.folder, package) + os.sep
        )


def _importer(frame: FrameType | None) -> FrameType | None:
    """The frame whose import statement or call is being served; None where it is compiled code."""
    while frame is not None and _is_machinery(frame):
        if frame.f_code.co_name == "_load_unlocked":  # a compiled module imports while it is loaded
            return None
        frame = frame.f_back
    return frame


def _is_machinery(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    return name == "importlib" or name.startswith(("importlib.", "_frozen_importlib"))


class _State:
    """What is taken off the path while somebody works, and how many do."""

    def __init__(self) -> None:
        self.lock, self.depth = RLock(), 0
        self.path: list[str] = []
        self.finders: list[NeighbourFinder] = []
        self.safe_path: str | None = None
        self.is_program = False

    def close(self) -> None:
        with self.lock:
            self.depth += 1
            if self.depth > 1:
                return
            self.path, self.safe_path = list(sys.path), os.environ.get(SAFE_PATH)
            taken = _unsafe_entries()
            sys.path[:] = [entry for entry in sys.path if entry not in taken]
            folders = dict.fromkeys([_current_folder(), *map(_real, taken)])
            script = _script_folder()
            self.finders = [
                NeighbourFinder(folder, holds_script=folder == script)
                for folder in folders
                if folder is not None
            ]
            sys.meta_path.extend(self.finders)
            os.environ[SAFE_PATH] = "1"

    def open(self) -> None:
        with self.lock:
            self.depth -= 1
            if self.depth:
                return
            added = [entry for entry in sys.path if entry not in self.path]
            sys.path[:] = [*self.path, *added]
            for finder in self.finders:
                with contextlib.suppress(ValueError):
                    sys.meta_path.remove(finder)
            self.finders = []
            if self.safe_path is None:
                os.environ.pop(SAFE_PATH, None)
            else:
                os.environ[SAFE_PATH] = self.safe_path
            # what libraries do when the process ends, too; last registered, first called
            atexit.unregister(self.close)
            atexit.register(self.close)


_STATE = _State()

_STARTED = (
    None  # by `python -m` or `python FOLDER`, which put a folder first; a script's is known later
    if sys.flags.safe_path or getattr(sys.modules.get("__main__"), "__spec__", None) is None
    else os.path.realpath(sys.path[0] or os.curdir)
)
"""The folder that Python put on the path when it was started, wherever one stands now."""


@contextlib.contextmanager
def safe_imports() -> Iterator[None]:
    """No library finds a module in the current folder, or beside the script, meanwhile.

    A decorator, too. What the path was is put back at the end.
    """
    _STATE.close()
    try:
        yield
    finally:
        _STATE.open()


@contextlib.contextmanager
def program() -> Iterator[None]:
    """`safe_imports` for a command: libraries are imported when they are needed only."""
    with safe_imports():
        before, _STATE.is_program = _STATE.is_program, True
        try:
            yield
        finally:
            _STATE.is_program = before


def always_safe_imports() -> None:
    """The same to the end of the process: for programs of our own."""
    _STATE.close()
    _STATE.path = list(sys.path)


def import_libraries(*names: str) -> None:
    """Import libraries and what they look for, with `safe_imports`.

    For the start of a package, whose modules import them by ordinary statements.
    """
    if _STATE.is_program:  # those statements will be safe, too, and most commands need few
        return
    with safe_imports():
        for name in (*STANDARD, *names):
            importlib.import_module(name)


def import_named(module: str) -> Any:
    """Import a module that the user named: an installed one, or one in the current folder.

    Raises ImportError where there is none, and what the module itself raises.
    """
    top = module.partition(".")[0]
    with safe_imports():
        here = [finder for finder in _STATE.finders if finder.folder == _current_folder()]
        for finder in here:
            finder.named.add(top)
        try:
            importlib.invalidate_caches()  # it may have been written a moment ago
            return importlib.import_module(module)
        finally:
            for finder in here:
                finder.named.discard(top)


@contextlib.contextmanager
def neighbours(folder: Path) -> Iterator[None]:
    """Code in `folder`, which its user named, finds the modules beside it meanwhile."""
    finder = NeighbourFinder(os.path.realpath(folder), holds_script=False)
    with safe_imports():
        sys.meta_path.append(finder)
        try:
            yield
        finally:
            sys.meta_path.remove(finder)


def import_from(module: str, folder: str) -> Any:
    """Import a module that lies in `folder`, where no installed one has its name.

    For worker processes, which are given what the process that started them had imported. Raises
    ImportError where it is not there, and what the module itself raises.
    """
    finder = NeighbourFinder(os.path.realpath(folder), holds_script=False)
    finder.named.add(module.partition(".")[0])
    sys.meta_path.append(finder)  # it stays: the module may import its neighbours later
    try:
        return importlib.import_module(module)
    finally:
        finder.named.clear()


def home_of(module: str) -> str:
    """The folder from which an imported module would be found: that of its outermost package."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:
        raise ValueError(f"module {module!r} lies in no file, so other processes cannot import it")
    file = os.path.realpath(file)
    if os.path.splitext(os.path.basename(file))[0] == "__init__":
        file = os.path.dirname(file)
    for _ in module.split("."):
        file = os.path.dirname(file)
    return file


@contextlib.contextmanager
def callers_path() -> Iterator[None]:
    """The path as it was before `safe_imports`: for workers, which run the caller's script again.

    They are started without the current folder on their path all the same.
    """
    with _STATE.lock:
        safe = list(sys.path)
        if _STATE.depth:
            sys.path[:] = _STATE.path
        try:
            yield
        finally:
            sys.path[:] = safe


def _unsafe_entries() -> list[str]:
    """The entries of the path that Python put there by itself, or that follow the current folder.

    A folder that PYTHONPATH names, by more than an empty entry, is there by its user's word.
    """
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    asked = {_real(entry) for entry in named if entry}
    automatic = {_current_folder(), _script_folder(), _STARTED} - asked
    return [entry for entry in sys.path if not os.path.isabs(entry) or _real(entry) in automatic]


def _current_folder() -> str | None:
    return _real(os.curdir)


def _script_folder() -> str | None:
    """Where the code lies that was started; the current folder where it is typed in."""
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    if getattr(main, "__spec__", None) is not None or not isinstance(file, str):
        return _current_folder()
    real = _real(file)  # Python follows a link to a script, too
    return None if real is None else os.path.dirname(real)


def _real(folder: str) -> str | None:
    """Its path without links; None where the current folder, which it begins with, is gone."""
    try:
        return os.path.realpath(folder)
    except OSError:
        return None
