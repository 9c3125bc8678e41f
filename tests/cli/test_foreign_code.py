"""Modules of the user's that do something wrong: one sentence that names them, and exit code 2."""

from pathlib import Path

import pytest

from myopia.cli.main import main

FUNCTIONS = """
import sys
import numpy as np
import torch

def exits(o): sys.exit(0)
def raises(o): raise ValueError("a\\nb\\nc" * 5000)
def text(o): return "x"
def nothing(o): return None
def ragged(o): return [[1], [1, 2]]
def objects(o): return np.array([object()] * len(o))
def imaginary(o): return np.tile([1j, 0, 0], (len(o), 1))
def negative(o): return np.tile([-1, 1, 1.0], (len(o), 1))
def nan(o): return np.full((len(o), 3), np.nan)
def narrow(o): return np.ones((len(o), 1))
def bits(o): return np.ones((len(o), 3), dtype="S1")
number = 3
class Nothing: pass
"""
GOOD = """
import torch

def lists(o): return [[0.2, 0.3, 0.5]] * len(o)
def gradient(o): return torch.softmax(torch.zeros(len(o), 3, requires_grad=True), 1)
def whole(o): return [[0, 1, 0]] * len(o)
"""
MODULES = {
    "syntax": "def f(:\n",
    "exits": "import sys\nsys.exit(0)\n",
    "raises": "raise RuntimeError('no\\nway')\n",
    "missing": "import nothing_that_is_there\n",
}
TASK = """
from dataclasses import dataclass
from myopia.envs import Task, register

@register
@dataclass(frozen=True)
class Own(Task):
{declared}
    def initial(self): return [(1.0, 0)]
    def step(self, state, action): return [(1.0, 0, 1.0)]
    def next_epoch(self, state): return [(1.0, 0)]
    def observe(self, state): return (0.0,)
"""
DECLARED = {
    "actions": "    actions = ('a', 'b')\n",
    "features": "    features = ('x',)\n",
    "incentives": "    incentives = ()\n",
}


def said(capsys, *arguments: str) -> str:
    assert main(list(arguments)) == 2
    text = capsys.readouterr().err
    assert text.startswith("myopia: ")
    assert text.count("\n") == 1
    assert len(text) < 1100
    return text


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "name", [line.split("(")[0][4:] for line in FUNCTIONS.splitlines() if line.startswith("def ")]
)
def test_functions(name: str, capsys, request) -> None:
    module = f"own_functions_{name}"
    Path(f"{module}.py").write_text(FUNCTIONS)
    assert f"{module}:{name}" in said(capsys, "evaluate", f"{module}:{name}", "Work")


@pytest.mark.parametrize("name", ["number", "Nothing", "absent"])
def test_what_is_no_function(name: str, capsys) -> None:
    Path("own_values.py").write_text(FUNCTIONS)
    assert f"own_values:{name}" in said(capsys, "evaluate", f"own_values:{name}", "Work")


@pytest.mark.parametrize("name", ["lists", "gradient", "whole"])
def test_what_can_be_read_is(name: str, capsys) -> None:
    Path("own_good.py").write_text(GOOD)
    assert main(["evaluate", f"own_good:{name}", "Work", "--json"]) == 0


@pytest.mark.parametrize("name", MODULES)
def test_modules(name: str, capsys) -> None:
    module = f"own_module_{name}"
    Path(f"{module}.py").write_text(MODULES[name])
    assert module in said(capsys, "evaluate", f"{module}:f", "Work")
    assert module in said(capsys, "oracle", f"{module}:World")
    if name != "missing":
        assert f"{module}.py" in said(capsys, "study", f"{module}.py")


@pytest.mark.parametrize("left", DECLARED)
def test_a_task_that_does_not_declare(left: str, capsys) -> None:
    declared = "".join(text for name, text in DECLARED.items() if name != left)
    Path(f"own_task_{left}.py").write_text(TASK.format(declared=declared))
    text = said(capsys, "oracle", f"own_task_{left}:Own")
    assert f"Own: a Task must define {left}, such as" in text


def test_a_task_that_declares_text(capsys) -> None:
    declared = "".join(DECLARED.values()).replace("('a', 'b')", "'ab'")
    Path("own_task_text.py").write_text(TASK.format(declared=declared))
    assert "expected actions as" in said(capsys, "oracle", "own_task_text:Own")
