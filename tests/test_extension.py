"""docs/extending.md, followed to the letter in a copy of the repository: one file each.

Every example is written where it says, and nothing else is touched; then the contract tests run
there, and the command line, the report and the docs know the new things.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "extending.md"
FOLDERS = ("agents", "analysis", "cli", "envs", "front", "superposition")
BLOCK = re.compile(r"```(?:python|html)\n(?:# |<!-- )([\w/.]+)(?: -->)?\n(.*?)```", re.S)
CONTRACTS = (
    "tests/envs/test_contracts.py",
    "tests/envs/test_checkers.py -k Savings",
    "tests/envs/test_faces.py -k Savings",
    "tests/agents/training/test_train.py -k every_algorithm_trains_and_loads[trpo",
    "tests/agents/policies/test_sb3_zip.py -k our_own_zips_open_too[trpo",
    "tests/analysis/test_probes.py -k every_probe_applies_to_every_world",
    "tests/analysis/test_figures.py -k test_what_cannot_be_drawn_is_said[stop_by_return]",
    "tests/analysis/representations/test_every_world.py -k Dilemma",
    "tests/analysis/studies/test_study.py -k every_study_that_ships",
    "tests/superposition/toy/test_experiments.py -k test_experiment[pair]",
    "tests/superposition/reproductions/test_reproductions.py -k test_exact_rows_hold[dense]",
    "tests/superposition/metrics/test_metrics.py -k every_registered_metric",
    "tests/cli/test_cli.py -k test_help_shows_an_example[schedules]",
)


def examples() -> dict[str, str]:
    """Path -> text of every file on the page."""
    return dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))


def counted() -> dict[str, int]:
    """Kind -> how many files the table in CONTRIBUTING.md says that it takes."""
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return {kind: int(n) for kind, n in re.findall(r"^\| ([^|]+?) \| (\d)", table, re.M)}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """The repository's files with the examples among them, and a package `myopia` made of them."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in (*FOLDERS, "docs", "tests", "benchmarks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    for path, text in examples().items():
        assert not (folder / path).exists(), f"{path} is there already"
        (folder / path).write_text(text, encoding="utf-8")
    package = folder / "site" / "myopia"
    package.mkdir(parents=True)
    for name in FOLDERS[:4] + FOLDERS[5:]:
        (package / name).symlink_to(folder / name)
    for name in ("common", "__init__.py", "py.typed"):
        (package / name).symlink_to(folder / "front" / name)
    return folder


def run(checkout: Path, *arguments: str, timeout: int = 300) -> str:
    """What a Python that imports the copy prints."""
    found = subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout / "site"), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert found.returncode == 0, (found.stdout + found.stderr)[-3000:]
    return found.stdout


def test_every_kind_has_an_example_of_as_many_files() -> None:
    files = list(examples())
    for kind, most in counted().items():
        row = next(
            line
            for line in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()
            if line.startswith(f"| {kind} |")
        )
        place = re.search(r"`([\w/]+/)`", row)
        assert place is not None
        of_kind = [path for path in files if path.startswith(place[1])]
        if kind == "report section":
            of_kind += [path for path in files if path.endswith(".html")]
        assert len(of_kind) == most, (kind, of_kind)


def test_the_copy_is_what_is_imported(checkout: Path) -> None:
    said = run(checkout, "-c", "import myopia.envs; print(myopia.envs.__file__)")
    assert Path(said.strip()).resolve() == (checkout / "envs" / "__init__.py").resolve()


def test_contract_tests_find_them(checkout: Path) -> None:
    for contract in CONTRACTS:
        path, _, chosen = contract.partition(" -k ")
        asked = ["-k", chosen.replace("[", " and ").rstrip("]")] if chosen else []
        said = run(checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", path, *asked)
        assert re.search(r"[1-9]\d* passed", said), (contract, said[-500:])


def test_the_command_line_knows_them(checkout: Path) -> None:
    myopia = ("-m", "myopia.cli.main")
    assert "List the schedules" in run(checkout, *myopia)
    assert "cosine  Weight" in run(checkout, *myopia, "schedules")
    assert "Savings" in run(checkout, *myopia, "envs")
    assert "trpo  Trust region" in run(checkout, *myopia, "algos")
    assert "half" in run(checkout, *myopia, "train", "--help")
    asked = ("myopic", "Savings", "schedule=cosine:cutoff=4", "index=halved")
    evaluation = json.loads(run(checkout, *myopia, "evaluate", *asked, "--json"))
    assert 0 < evaluation["haste"] < 1
    assert re.search(r"haste +0\.\d+", run(checkout, *myopia, "evaluate", *asked))


def test_a_run_with_all_of_them_is_on_the_page(checkout: Path, tmp_path: Path) -> None:
    study = tmp_path / "all.py"
    study.write_text(
        "from myopia.analysis.studies.study import Study\n"
        "STUDY = Study(title='All', base={'world': 'Savings', 'total_timesteps': 128,\n"
        "    'algo': 'trpo:num_envs=4,n_steps=16', 'schedule': 'cosine:cutoff=4',\n"
        "    'index': 'halved'},\n"
        "    conditions={'half': {'credit': 'half'}}, seeds=(0,), probes=('no-decay',))\n",
        encoding="utf-8",
    )
    out = tmp_path / "runs"
    myopia = ("-m", "myopia.cli.main")
    run(checkout, *myopia, "study", str(study), "--out", str(out), "--workers", "1")
    page = tmp_path / "page.html"
    run(checkout, *myopia, "report", str(out), "--out", str(page))
    text = page.read_text(encoding="utf-8")
    for said in (
        'id="worlds"',
        "<li>Savings</li>",
        "Mean epoch of shutdown by return",
        "share of the first epoch in what it earns",
        "Does it go on past the cutoff",
    ):
        assert said in text, said


def test_the_docs_are_made(checkout: Path) -> None:
    run(checkout, "-m", "myopia.cli.docs")
    assert (checkout / "docs" / "worlds" / "savings.md").exists()
    run(checkout, "-m", "myopia.cli.docs", "--check")
