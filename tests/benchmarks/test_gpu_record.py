"""The record of a GPU, tried on a CPU: it goes on where it was cut off, whatever fails."""

import importlib.util
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "gpu_record.py"


def command(out: Path, *more: str) -> list[str]:
    return [sys.executable, str(SCRIPT), "--out", str(out), "--device", "cpu", "--small", *more]


def rows(out: Path) -> dict:
    (mine,) = json.loads((out / "record.json").read_text()).values()
    return mine["rows"]


def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gpu_record", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_cut_off_it_goes_on_and_what_is_there_is_not_measured_again(tmp_path: Path) -> None:
    with subprocess.Popen(command(tmp_path), stdout=subprocess.PIPE, text=True) as process:
        while not (tmp_path / "record.json").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGTERM
    first = rows(tmp_path)
    assert "tests marked cuda" in (tmp_path / "record.md").read_text()
    done = subprocess.run(command(tmp_path), check=True, capture_output=True, text=True)
    every = rows(tmp_path)
    assert len(first) < len(every)
    assert first == {key: every[key] for key in first}
    assert not [key for key, row in every.items() if "failed" in row]
    table = (tmp_path / "record.md").read_text()
    assert table in done.stdout
    for what in ("2 seeds against one", "the general case", "toy models", "S-curves", "waits"):
        assert what in table


def test_nothing_begins_when_the_budget_is_used_up(tmp_path: Path) -> None:
    asked = command(tmp_path, "--budget", "0")
    done = subprocess.run(asked, check=True, capture_output=True, text=True)
    assert "budget of 0 s is used up" in done.stdout
    assert not (tmp_path / "record.json").exists()


def test_a_row_that_fails_is_told_and_tried_again_and_machines_are_kept_apart(
    tmp_path: Path,
) -> None:
    def broken(left: float) -> dict:
        raise ValueError("no | such thing\nat all")

    def good(left: float) -> dict:
        return {"value": 4.0 if left > 1 else 2.0, "unit": "s"}

    def row(side: str, measure) -> SimpleNamespace:
        return SimpleNamespace(what="it", side=side, key=f"it | {side}", measure=measure)

    record = module().Record(tmp_path, "one")
    record.take(row("ours", broken), 1)
    record.take(row("cpu", good), 2)
    record.write_table()
    assert record.done == {"it | cpu"}
    assert "| it | failed: ValueError: no / such thing |  | 4 s |" in (
        (tmp_path / "record.md").read_text()
    )
    record = module().Record(tmp_path, "one")
    record.take(row("ours", good), 1)
    record.write_table()
    assert "| it | 2 s |  | 4 s |  | 2 |  |" in (tmp_path / "record.md").read_text()
    assert module().Record(tmp_path, "another").done == set()
