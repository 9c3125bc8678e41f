"""What may be imported from the folder where one stands."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest


def run(folder: Path, program: str) -> str:
    """Run a program in `folder` as one types it in: Python puts the folder on its path."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Modules of one's own, and a library that looks for one that is not installed."""
    (tmp_path / "mine.py").write_text("import beside\nimport library\n")
    (tmp_path / "beside.py").write_text("")
    (tmp_path / "optional.py").write_text("raise AssertionError('run')\n")
    (tmp_path / "package" / "inner").mkdir(parents=True)
    (tmp_path / "package" / "__init__.py").write_text("import beside\n")
    (tmp_path / "package" / "inner" / "deep.py").write_text("import beside\n")
    library = tmp_path / "site" / "library"
    library.mkdir(parents=True)
    (library / "__init__.py").write_text(
        "import importlib, importlib.util\n"
        "def look():\n"
        "    assert importlib.util.find_spec('optional') is None\n"
        "    for find in (lambda: __import__('optional'),\n"
        "                 lambda: importlib.import_module('optional')):\n"
        "        try:\n"
        "            find()\n"
        "        except ImportError:\n"
        "            continue\n"
        "        raise AssertionError('found')\n"
    )
    return tmp_path


START = """
import sys
sys.path.append("site")
sys.path[-1] = __import__("os").path.abspath("site")
from myopia.common.search_path import *
from myopia.common import search_path
import library
"""


def test_libraries_find_nothing_there(folder: Path) -> None:
    run(folder, START + "with safe_imports():\n    library.look()\n")


def test_code_of_the_folder_finds_its_neighbours(folder: Path) -> None:
    run(folder, START + "with safe_imports():\n    import beside\n")
    run(folder, START + "with safe_imports():\n    search_path.import_named('mine')\n")


def test_modules_that_are_named(folder: Path) -> None:
    program = """
    with safe_imports():
        for name in ("mine", "package", "package.inner.deep"):
            assert search_path.import_named(name).__name__ == name
        library.look()
    """
    run(folder, START + textwrap.dedent(program))


def test_the_path_is_put_back(folder: Path) -> None:
    program = """
    import os
    before, finders = list(sys.path), list(sys.meta_path)
    assert "" in before
    try:
        with safe_imports():
            with safe_imports():
                pass
            assert "" not in sys.path and os.environ["PYTHONSAFEPATH"] == "1"
            sys.path.append("/added")
            raise KeyError
    except KeyError:
        pass
    assert sys.path == [*before, "/added"]
    assert sys.meta_path == finders and "PYTHONSAFEPATH" not in os.environ
    """
    run(folder, START + textwrap.dedent(program))


def test_workers_begin_without_it(folder: Path) -> None:
    program = """
    import subprocess
    with safe_imports(), search_path.callers_path():
        assert "" in sys.path
        told = "import sys; print('' in sys.path)"
        child = subprocess.run([sys.executable, "-c", told], capture_output=True)
        assert child.stdout == b"False\\n"
    """
    run(folder, START + textwrap.dedent(program))


def test_a_folder_that_was_deleted(tmp_path: Path) -> None:
    program = """
    import os, sys
    from myopia.common.search_path import safe_imports
    os.rmdir(os.getcwd())
    with safe_imports():
        import decimal
    """
    gone = tmp_path / "gone"
    gone.mkdir()
    run(gone, program)
