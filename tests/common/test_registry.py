"""Registries: one decorator shape, names that are taken, and the order in which things stand."""

import subprocess
import sys
from pathlib import Path

import pytest

from myopia.common.registry import Registry, module_names


@pytest.fixture
def package(tmp_path: Path, monkeypatch) -> str:
    """A package with two modules, and one that is private."""
    folder = tmp_path / "things"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "base.py").write_text(
        "from myopia.common.registry import Registry\n"
        "THINGS = Registry('thing', 'things', spell=lambda name: name.replace('_', '-'),\n"
        "    entry=lambda name, thing, size=1: (name, thing(), size),\n"
        "    wrap=lambda f: lambda: f() * 2)\n"
        "thing = THINGS.register\n"
    )
    (folder / "zebra.py").write_text(
        "from things.base import thing\n@thing\ndef first_zebra():\n    return 'z'\n"
    )
    (folder / "ant.py").write_text(
        "from things.base import thing\n@thing(size=3, name='emmet')\ndef ant():\n    return 'a'\n"
    )
    (folder / "_private.py").write_text("raise RuntimeError\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "things"
    for name in [name for name in sys.modules if name.split(".")[0] == "things"]:
        del sys.modules[name]


def test_what_is_registered(package: str) -> None:
    from things.base import THINGS  # type: ignore[import-not-found]

    assert "things.ant" not in sys.modules, "nothing is imported before it is read"
    assert dict(THINGS) == {"emmet": ("emmet", "aa", 3), "first-zebra": ("first-zebra", "zz", 1)}
    assert module_names(package) == ["ant", "base", "zebra"]


def test_the_order_is_that_of_modules_however_they_were_imported(package: str) -> None:
    import things.zebra  # type: ignore[import-not-found]
    from things.base import THINGS  # type: ignore[import-not-found]

    assert things.zebra.first_zebra() == "zz", "who calls it calls what was wrapped"

    @THINGS.register
    def added():
        return "b"

    assert list(THINGS) == ["emmet", "first-zebra", "added"]


def test_an_order_of_its_own() -> None:
    numbers: Registry[int] = Registry(
        "number", "myopia.cli.commands", entry=lambda name, f: f(), order=lambda n: -n
    )
    for value in (1, 3, 2):
        numbers.register(name=str(value))(lambda value=value: value)
    numbers._imported.append("myopia.cli.commands")
    assert list(numbers) == ["3", "2", "1"]


def test_names_are_taken_once_and_may_be_given_back(package: str) -> None:
    from things.base import THINGS  # type: ignore[import-not-found]

    def other():
        return "o"

    told = "a thing named 'emmet' is registered already, by things.ant:ant"
    with pytest.raises(ValueError, match=told):  # though nobody has read the registry yet
        THINGS.register(name="emmet")(other)
    THINGS.register(other)
    THINGS.register(other)  # the same again, as in a notebook
    THINGS.remove("other")
    assert "other" not in THINGS


def test_what_is_refused_is_not_kept() -> None:
    def entry(name, thing):
        raise ValueError("no such thing")

    things: Registry[int] = Registry("thing", "myopia.cli.commands", entry=entry)
    with pytest.raises(ValueError, match="no such thing"):
        things.register(lambda: 1)
    assert not things._found


def test_a_package_that_fails_fails_again(package: str, tmp_path: Path) -> None:
    from things.base import THINGS  # type: ignore[import-not-found]

    (tmp_path / "things" / "broken.py").write_text("1 / 0\n")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            list(THINGS)


def test_packages_of_a_layer_above(package: str, tmp_path: Path) -> None:
    from things.base import THINGS  # type: ignore[import-not-found]

    above = tmp_path / "things" / "above"
    above.mkdir()
    (above / "__init__.py").write_text("")
    (above / "aardvark.py").write_text(
        "from things.base import thing\n@thing\ndef aardvark():\n    return 'v'\n"
    )
    assert list(THINGS) == ["emmet", "first-zebra"]
    THINGS.add_package("things.above")
    THINGS.add_package("things.above")
    assert list(THINGS) == ["emmet", "first-zebra", "aardvark"]


ORDER = """
import importlib, json, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
from myopia.agents.algorithms.base import ALGORITHMS
from myopia.analysis.measures.measure import MEASURES
print(json.dumps([list(ALGORITHMS), list(MEASURES)]))
"""


def test_what_was_imported_first_changes_no_list() -> None:
    first = ["myopia.agents.algorithms.recurrentppo", "myopia.analysis.measures.usefulness"]
    said = [
        subprocess.run(
            [sys.executable, "-c", ORDER, *modules], capture_output=True, text=True, check=True
        ).stdout
        for modules in ([], first)
    ]
    assert said[0] == said[1]
