"""The layout of folders: every one is installed, and nothing imports upwards."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ["front/common", "envs", "agents", "superposition", "analysis", "cli"]
MAY_IMPORT = {
    "front/common": {"common"},
    "envs": {"common", "envs"},
    "agents": {"common", "agents", "envs"},
    "superposition": {"common", "superposition"},
    "analysis": {"common", "analysis", "superposition", "agents", "envs"},
    "cli": {"common", "envs", "agents", "superposition", "analysis", "cli"},
}
UPWARDS = {("agents/train.py", "cli")}
"""`python -m myopia.agents.train` hands over to the command line, and nothing else may."""


@pytest.mark.parametrize("folder", ["front", *FOLDERS])
def test_every_folder_of_code_is_a_package(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        assert (path.parent / "__init__.py").exists(), f"{path.parent} would not be installed"


def imported(path: Path) -> Iterator[str]:
    """Our packages that a file imports, by whatever statement, or by a text that names a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "myopia":
            names = [f"{node.module}.{one.name}" for one in node.names]
        elif isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [node.value] if re.fullmatch(r"myopia(\.\w+)+(:\w+)?", node.value) else []
        else:
            continue
        for name in names:
            parts = re.split(r"[.:]", name)
            if parts[0] == "myopia" and len(parts) > 1:
                yield parts[1]


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_imports_upwards(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        for name in imported(path):
            known = name in MAY_IMPORT[folder] or (str(path.relative_to(ROOT)), name) in UPWARDS
            assert known or name == "__version__", f"{path} imports myopia.{name}"


def test_common_needs_the_standard_library_only() -> None:
    import sys

    for path in (ROOT / "front").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                top = name.partition(".")[0]
                assert top in {*sys.stdlib_module_names, "myopia", "numpy"}, f"{path}: {name}"


PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_pages_link_to_is_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
