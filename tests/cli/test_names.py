"""A name of a folder, condition or world is a name, whatever language a library reads in it."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.runs import ALGO, copied, interrupted, tiny

from myopia.agents.policies.agent import Agent
from myopia.agents.training.train import train
from myopia.analysis.studies.execution.job import Job
from myopia.analysis.studies.study import Study
from myopia.cli.main import main
from myopia.common.files import read_json

PIECES = (
    *("*", "?", "[", "]", "[0-9]", "{a,b}", "!", "~", "**"),  # globs
    *("$", "$x^2$", "\\", "_", "^", "\\frac", "%", "{", "}"),  # mathtext
    *("<b>", "&amp;", "'", '"', "</script>", "&"),  # HTML
    *(";", "|", "`id`", "$(id)", " ", "#", "-", "--json"),  # shell
    *("é", "日本", "🌱", "\u202e", "ß", "\t", "\x1b[31m"),  # unicode and what terminals read
    *("=", "lr=0.1", "gain=1", "name=x", ":", "a:b", ",", "+", "@", ".", "s3:"),
    *("a", "run", "0", "seed-1", "myopic", "random", ".zip"),
)
NAMES = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join)
BAD = {".", ".."}


@pytest.fixture(scope="module")
def half(tmp_path_factory) -> Path:
    """An interrupted run."""
    return interrupted(tmp_path_factory.mktemp("half") / "run")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The same one, never interrupted."""
    return train(tiny(), tmp_path_factory.mktemp("whole") / "run")


def typed(name: str) -> str:
    """A folder as one types it: what begins with a dash would be an option."""
    return f"./{name}" if name.startswith("-") else name


FUZZ = settings(
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@FUZZ
@given(name=NAMES.filter(lambda name: name not in BAD))
@example(name="g[2]")
@example(name="h*")
@example(name="$x$ _{")
@example(name="gain=1")
@example(name="lr=0.1")
@example(name="agent.zip")
@example(name="random")
def test_folders(half: Path, whole: Path, name: str, capsys) -> None:
    """Resumed, evaluated, looked into and reported under any name, beside runs of similar names."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as base:
        os.chdir(base)
        try:
            other = copied(whole, Path(base, "hub", "h1", "seed=0"))  # what a glob might find
            folder = copied(half, Path(base, name))
            assert main(["train", "Work", *SETTINGS, "--out", typed(name)]) == 0
            ours, theirs = folder / "weights.safetensors", whole / "weights.safetensors"
            assert ours.read_bytes() == theirs.read_bytes()
            tables = [
                pl.read_parquet((path / "episodes.parquet").read_bytes())
                for path in (folder, whole)
            ]
            assert tables[0].equals(tables[1])
            assert {path.name for path in (folder / "tensorboard").iterdir()} == {"train_1"}
            assert main(["evaluate", typed(name)]) == 0
            assert main(["report", typed(name)]) == 0
            page = (folder / "index.html").read_text(encoding="utf-8")
            assert "<b>" not in name or "<b>" not in page
            assert other.is_dir()
        finally:
            os.chdir(before)
    assert "Traceback" not in capsys.readouterr().err


SETTINGS = ("--algo", ALGO, "--total-timesteps", "2400")


@FUZZ
@given(names=st.lists(NAMES, min_size=2, max_size=2, unique=True))
@example(names=["$x^$", "plain"])
@example(names=["_hidden", "$\\frac$"])
@example(names=["a\n$b", "%d"])
@example(names=["[/red]", "[bold]x"])
def test_conditions(whole: Path, names: list[str], capsys) -> None:
    """Trained and reported under any name, or refused before anything is written."""
    with tempfile.TemporaryDirectory() as base:
        out = Path(base, "out")
        asked = {"title": names[0], "base": {"world": "Work", "algo": ALGO, "total_timesteps": 300}}
        study = Study(**asked, conditions={name: {} for name in names}, seeds=(0,))
        if (jobs := jobs_of(study, out)) is None:
            assert not out.exists()
            return
        out.mkdir()
        conditions = {name: {} for name in names}
        told = {**asked, "conditions": conditions, "seeds": [0], "probes": []}
        (out / "study.json").write_text(json.dumps(told))
        for job in jobs:
            copied(whole, job.folder)
            assert main(["evaluate", str(job.folder)]) == 0
        assert main(["report", str(out)]) == 0
    assert "Traceback" not in capsys.readouterr().err


def jobs_of(study: Study, out: Path) -> list[Job] | None:
    try:
        return study.jobs(out)
    except ValueError:
        return None


@pytest.mark.parametrize("name", ["g[2] lr=0.1 $x_{$"])
def test_what_is_looked_into(whole: Path, name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    one, other = copied(whole, tmp_path / name), copied(whole, tmp_path / f"{name}2")
    command = ["represent", one.name, other.name, "--directions", "3", "--out", f"{name}-out"]
    assert main(command) == 0
    assert (tmp_path / f"{name}-out" / "similarity.png").exists()


def test_what_follows_an_option_is_its_own(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "Work", "epoch_length=2", *SETTINGS, "--out", "lr=0.1/seed=0"]) == 0
    assert read_json(tmp_path / "lr=0.1" / "seed=0" / "config.json")["dials"]["epoch_length"] == 2
    assert main(["evaluate", "lr=0.1/seed=0", "channel=severed", "--json"]) == 0
    told = capsys.readouterr().out
    assert json.loads(told[told.index("{") :])["dials"]["channel"] == "severed"


def test_the_command_to_go_on_with_is_one(tmp_path: Path, monkeypatch, capsys) -> None:
    """What `train` prints can be pasted into a shell, whatever the folder is called."""
    import shlex

    monkeypatch.chdir(tmp_path)
    for name in ("gain=1", "a b", "$(id)", "it's", "-x"):
        capsys.readouterr()
        assert main(["train", "Work", *SETTINGS, f"--out={name}"]) == 0
        line = capsys.readouterr().out.splitlines()[-1].strip()
        words = shlex.split(line)
        assert words[0] == "myopia"
        assert main(words[1:]) == 0


def test_a_folder_named_like_a_policy_is_the_folder(whole: Path, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    copied(whole, tmp_path / "myopic")
    assert main(["evaluate", "myopic"]) == 0
    assert Agent.load(tmp_path / "myopic")
    shutil.rmtree(tmp_path / "myopic")
    assert main(["evaluate", "myopic", "Work"]) == 0
