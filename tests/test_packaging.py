"""The layout of folders: every one is installed, and nothing imports upwards."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORDER = ["front", "envs", "agents", "superposition", "analysis", "cli"]
MAY_IMPORT = {
    "front": {"common"},
    "envs": {"common", "envs"},
    "agents": {"common", "agents", "envs"},
    "superposition": {"common", "superposition"},
    "analysis": {"common", "analysis", "superposition", "agents", "envs"},
    "cli": {"common", *ORDER},
}


@pytest.mark.parametrize("folder", ORDER)
def test_every_folder_of_code_is_a_package(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        assert (path.parent / "__init__.py").exists(), f"{path.parent} would not be installed"


@pytest.mark.parametrize("folder", ORDER)
def test_nothing_imports_upwards(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("myopia."):
                imported = node.module.split(".")[1]
                assert imported in MAY_IMPORT[folder], f"{path} imports myopia.{imported}"
