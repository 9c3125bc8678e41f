"""Command lines that nobody would write, and damaged files: the small version of a benchmark."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("counts", [("300", "0"), ("0", "200")], ids=["lines", "files"])
def test_nothing_surprises(counts: tuple[str, str]) -> None:
    """No traceback, no hang, no sentence of several lines, nothing outside the folder."""
    lines, files = counts
    found = subprocess.run(
        [
            *(sys.executable, str(ROOT / "benchmarks" / "fuzz.py")),
            *("--lines", lines, "--files", files, "--seed", "4242"),
        ],
        capture_output=True,
        text=True,
        timeout=1100,
    )
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-2000:]
