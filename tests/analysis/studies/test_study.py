"""Studies: what is read, what is refused, and what is left after a crash."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from myopia.analysis.probes.probe import PROBES
from myopia.analysis.studies.execution.job import grouped
from myopia.analysis.studies.execution.run import Progress, run_study
from myopia.analysis.studies.study import Study, load_study, shipped_studies
from myopia.common.files import read_json
from myopia.envs import WORLDS

TINY = """
title = "Tiny"
seeds = [0, 1]
[base]
world = "Work"
total_timesteps = 1
max_epochs = 6
[conditions.recipe]
[conditions."credit per epoch"]
credit = "epoch"
total_timesteps = 200_000  # long enough to be killed in
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> dict[str, bytes]:
    """What the tiny study's evaluations are, from two workers that nobody disturbs."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    (folder / "tiny.toml").write_text(TINY)
    assert follow(load_study(str(folder / "tiny.toml")), folder, workers=2).done == 4
    return judged(folder)


def follow(study: Study, out: Path, **settings) -> Progress:
    return list(run_study(study, out, **settings))[-1]


def judged(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in out.glob("*/*/evaluation.json")}


@pytest.mark.parametrize("name", shipped_studies())
def test_shipped_studies_can_be_run(name: str, tmp_path: Path) -> None:
    study = load_study(name)
    jobs = study.jobs(tmp_path)
    assert len(jobs) == len(study.conditions) * len(study.seeds)
    assert len({job.config.id for job in jobs}) == len(jobs), "two runs ask for the same"


def test_a_condition_is_the_base_with_its_own_words_on_top(tiny: Path) -> None:
    jobs = load_study(str(tiny)).jobs(Path("out"))
    assert [job.name for job in jobs[:3]] == [
        "recipe, seed 0",
        "recipe, seed 1",
        "credit per epoch, seed 0",
    ]
    assert jobs[2].folder == Path("out/credit-per-epoch/seed-0")
    assert (jobs[0].config.credit, jobs[2].config.credit) == ("lifetime", "epoch")
    assert all(job.config.dials["max_epochs"] == 6 for job in jobs)


@pytest.mark.parametrize("name", shipped_studies())
def test_every_study_that_ships_can_be_run(name: str, tmp_path: Path) -> None:
    study = load_study(name)
    jobs = study.jobs(tmp_path)
    assert len(jobs) == len(study.conditions) * len(study.seeds)
    assert study.title


def test_all_probes_are_every_probe(tmp_path: Path) -> None:
    study = Study("A", {"world": "Work"}, {"a": {}}, (0,), ("all",))
    assert set(study.jobs(tmp_path)[0].probes) == PROBES.keys() > {"bait"}


def test_a_python_file_is_the_same_study(tiny: Path, tmp_path: Path) -> None:
    study = load_study(str(tiny))
    path = tmp_path / "mine.py"
    path.write_text(f"from myopia.analysis.studies.study import Study\nSTUDY = {study!r}\n")
    assert load_study(str(path)) == study


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"Work"', '"Wrok"', "condition 'recipe': unknown world 'Wrok', did you mean 'Work'?"),
        ("[0, 1]", "[]", "a study needs at least one seed, got none"),
        ("[0, 1]", "[0, 0]", "a seed is given twice: [0, 0]"),
        ("[0, 1]", "[-1]", "seed must lie in 0..4294967295, got -1"),
        ("[0, 1]", "['a']", "seeds: expected int, got 'a'"),
        ("[0, 1]", "3", "seeds: expected values separated by /, got 3"),
        ("max_epochs", "max_epoch", "unknown dial 'max_epoch', did you mean 'max_epochs'?"),
        (
            "total_timesteps = 1",
            "total_timesteps = 0",
            "total_timesteps must lie in 1..1000000000000000, got 0",
        ),
        ('"epoch"', '"epochs"', "unknown credit mode 'epochs', did you mean 'epoch'?"),
        ("seeds", "seedz", "did you mean 'seeds'?"),
        ('title = "Tiny"', "", "title is missing"),
        ("[conditions.recipe]", "[[", "expected TOML"),
        ('world = "Work"', "", "world=... is missing"),
        ('"credit per epoch"', '"recipe."', "'recipe' and 'recipe.' would share"),
        ("title", 'probes = ["bat"]\ntitle', "unknown probe 'bat', did you mean 'bait'?"),
    ],
)
def test_a_wrong_study_is_refused(old, new, sentence, tiny: Path, tmp_path: Path) -> None:
    tiny.write_text(TINY.replace(old, new))
    with pytest.raises(ValueError) as caught:
        follow(load_study(str(tiny)), tmp_path / "out")
    assert sentence in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_study_without_conditions_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one condition, got none"):
        Study("Empty", {"world": "Work"}, {}, (0,))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("quikstart", "unknown study 'quikstart', did you mean 'quickstart'?"),
        ("no/such.toml", "no such file"),
        ("bad.py", "bad.py: NameError: name 'x' is not defined"),
        ("none.py", "expected a Study named STUDY"),
    ],
)
def test_what_is_no_study(name: str, sentence: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.py").write_text("x")
    Path("none.py").write_text("")
    with pytest.raises(ValueError) as caught:
        load_study(name)
    assert sentence in str(caught.value)


@pytest.fixture
def _no_deadly_world_left() -> Iterator[None]:
    """The study imports it by name into this process, where other tests go through all worlds."""
    yield
    if "Deadly" in WORLDS:
        WORLDS.remove("Deadly")


@pytest.mark.usefixtures("_no_deadly_world_left")
def test_failures_are_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    """One run raises, one kills its worker, one has a file in its way, one is well."""
    study = Study(
        "Mixed",
        {"world": "Work", "total_timesteps": 1},
        {
            "raises": {"world": "support.deadly:Deadly", "how": "raise"},
            "dies": {"world": "support.deadly:Deadly", "how": "die"},
            "blocked": {},
            "well": {},
        },
        (0,),
    )
    (tmp_path / "blocked").write_text("a file in the way")
    done = follow(study, tmp_path, workers=1)
    assert (done.total, done.done, done.running) == (4, 1, 0)
    assert set(done.errors) == {"raises, seed 0", "dies, seed 0", "blocked, seed 0"}
    assert "Traceback" in done.errors["raises, seed 0"]
    assert "RuntimeError: out of luck" in done.errors["raises, seed 0"]
    assert "died with exit code 7" in done.errors["dies, seed 0"]
    assert "Not a directory" in done.errors["blocked, seed 0"]
    assert (tmp_path / "well" / "seed-0" / "evaluation.json").exists()


@pytest.mark.parametrize(("runs", "workers", "sizes"), [
    (40, 2, [10] * 4), (5, 8, [1] * 5), (100, 1, [14, 15, 14, 14, 14, 15, 14]), (1, 1, [1]),
])  # fmt: skip
def test_groups_keep_all_workers_busy(runs: int, workers: int, sizes: list[int]) -> None:
    study = Study("A", {"world": "Work"}, {"a": {}}, tuple(range(runs)))
    jobs = study.jobs(Path("out"))
    groups = grouped(jobs, workers)
    assert sorted(map(len, groups)) == sorted(sizes)
    assert [job for group in groups for job in group] == jobs
    mixed = Study("A", {}, {"a": {"world": "Work"}, "b": {"world": "Dilemma"}}, (0, 1))
    assert {
        len({job.config.world for job in group}) for group in grouped(mixed.jobs(Path()), 1)
    } == {1}


def test_another_run_in_the_folder_is_refused_before_anything_runs(tmp_path: Path) -> None:
    study = Study("A", {"world": "Work", "total_timesteps": 1}, {"a": {}, "b": {}}, (0,))
    (tmp_path / "b" / "seed-0").mkdir(parents=True)
    other = json.dumps({"world": "Work", "dials": {}})
    (tmp_path / "b" / "seed-0" / "config.json").write_text(other)
    with pytest.raises(ValueError, match="holds a run with other settings than b, seed 0"):
        follow(study, tmp_path)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["config.json"]


def children(pid: int) -> list[int]:
    """Processes whose parent is `pid`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(entry.name))
    return found


def wait_until(condition, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_end_in_the_middle_loses_nothing_that_was_finished(
    how, tiny: Path, uninterrupted: dict[str, bytes]
) -> None:
    """Kill the study as soon as two runs are finished; its workers go, and it can be resumed."""
    out = tiny.parent / "out"
    command = [sys.executable, "-m", "myopia.cli.main", "study", str(tiny), "--out", str(out)]
    study = subprocess.Popen(
        [*command, "--workers", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    wait_until(lambda: len(judged(out)) >= 2)
    workers = children(study.pid)
    assert workers
    study.send_signal(how)
    told = study.communicate(timeout=60)[0]
    if how == signal.SIGINT:
        assert study.returncode == 130
        assert told == "myopia: interrupted\n"
        records = [read_json(path) for path in out.glob("*/*/run.json")]
        assert {record["status"] for record in records} <= {"done", "failed", "interrupted"}
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    before = judged(out)
    assert 2 <= len(before) < 4
    stamps = {path: path.stat().st_mtime_ns for path in out.glob("*/*/*.json")}
    finished = [out / name for name in before]
    done = follow(load_study(str(tiny)), out)
    assert (done.skipped, done.done, done.errors) == (len(before), 4 - len(before), {})
    assert {name: judged(out)[name] for name in before} == before
    assert judged(out) == uninterrupted
    for path in finished:
        assert path.stat().st_mtime_ns == stamps[path]
    assert read_json(out / "study.json")["title"] == "Tiny"


def test_a_run_that_lost_its_weights_is_not_finished(tiny: Path) -> None:
    out = tiny.parent / "lost"
    study = load_study(str(tiny))
    follow(study, out)
    lost = next(out.glob("*/*/weights.safetensors"))
    before = lost.read_bytes()
    lost.unlink()
    progress = follow(study, out)
    assert (progress.skipped, progress.done) == (3, 1)
    assert lost.read_bytes() == before


def test_a_study_that_was_killed_as_it_began_leaves_nothing(tmp_path: Path) -> None:
    litter = tmp_path / ".study.json.ab12_xyz.json"
    litter.write_text("half")
    follow(Study("A", {"world": "Work", "total_timesteps": 1}, {"a": {}}, (0,)), tmp_path)
    assert not litter.exists()


def test_without_ray_nothing_is_written(tiny: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    out = tiny.parent / "without-ray"
    with pytest.raises(ValueError, match="Ray is not installed"):
        follow(load_study(str(tiny)), out, backend="ray")
    assert not out.exists()


@pytest.mark.slow
def test_ray_gives_the_same_results(tiny: Path, uninterrupted: dict[str, bytes]) -> None:
    pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    out = tiny.parent / "ray"
    assert follow(load_study(str(tiny)), out, backend="ray", workers=2).done == 4
    assert judged(out) == uninterrupted


def test_a_study_does_not_begin_in_a_run_folder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="holds a run, expected a folder of the study's own"):
        list(run_study(Study("A", {"world": "Work"}, {"a": {}}, (0,)), tmp_path / "run"))
