"""Figures and tables as files, and folders of runs that are evaluated on the way."""

import csv
import json
from pathlib import Path

import pytest
from support.runs import tiny

from myopia.agents.training.train import train
from myopia.analysis.report.evaluate_runs import evaluate_runs
from myopia.analysis.report.export import write_figures, write_tables
from myopia.analysis.report.results import Results
from myopia.cli.main import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two seeds, trained and not evaluated."""
    root = tmp_path_factory.mktemp("runs") / "many_&_more"
    for seed in (0, 1):
        train(tiny(seed=seed, total_timesteps=64), root / f"seed-{seed}")
    return root


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return evaluate_runs(folder)


def test_all_seeds_in_a_folder_are_evaluated(results: Results, folder: Path) -> None:
    (runs,) = results.conditions.values()
    assert [run.config.seed for run in runs] == [0, 1]
    stamps = [(folder / f"seed-{seed}" / "evaluation.json").stat().st_mtime_ns for seed in (0, 1)]
    evaluate_runs(folder, only_missing=True)
    assert stamps == [
        (folder / f"seed-{seed}" / "evaluation.json").stat().st_mtime_ns for seed in (0, 1)
    ]


@pytest.mark.parametrize(("kind", "head"), [("pdf", b"%PDF"), ("png", b"\x89PNG"), ("svg", b"<?x")])
def test_figures(kind: str, head: bytes, results: Results, tmp_path: Path) -> None:
    files = write_figures(results, tmp_path, kind)
    assert len(files) >= 5
    assert all(file.read_bytes().startswith(head) for file in files)
    again = write_figures(results, tmp_path / "again", kind)
    if kind != "svg":
        assert [one.read_bytes() for one in files] == [one.read_bytes() for one in again]


def test_tables(results: Results, tmp_path: Path) -> None:
    rows = list(csv.reader((write_tables(results, tmp_path, "csv")[0]).open(encoding="utf-8")))
    assert [len(row) for row in rows] == [len(rows[0])] * 2
    assert rows[1][0] == "many_&_more"
    seeds = list(csv.DictReader((tmp_path / "seeds.csv").open(encoding="utf-8")))
    (runs,) = results.conditions.values()
    assert [float(row["return"]) for row in seeds] == [run.evaluation["return"] for run in runs]
    text = write_tables(results, tmp_path, "latex")[0].read_text(encoding="utf-8")
    assert r"many\_\&\_more" in text
    assert text.count(r"\\") == 2
    assert text.splitlines()[1] == r"\toprule"
    with pytest.raises(ValueError, match="unknown kind of table 'word'"):
        write_tables(results, tmp_path, "word")


def test_from_the_command_line(folder: Path, results: Results, tmp_path: Path, capsys) -> None:
    assert main(["evaluate", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["conditions"]["many_&_more"]
    assert len(told["runs"]) == 2
    assert told["verdict"].startswith("In this world 2 of 2 seeds are")
    assert main(["evaluate", str(folder)]) == 0
    assert told["verdict"] in capsys.readouterr().out
    paths = [f"--{kind}={tmp_path / kind}" for kind in ("figures", "csv", "latex")]
    out = str(tmp_path / "page.html")
    assert main(["report", str(folder), "--out", out, *paths, "--format", "png", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert told["verdict"] in report["verdict"][0]
    assert all(Path(path).exists() for path in report["written"])
    assert told["verdict"] in Path(out).read_text(encoding="utf-8")
    assert main(["evaluate", str(folder), "--greedy"]) == 2
    assert "expected no greedy" in capsys.readouterr().err
    assert main(["report", str(folder), "--format", "gif"]) == 2
