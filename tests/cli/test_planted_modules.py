"""Nothing in the folder where one stands is run, but what its user names.

Libraries look for modules that are not installed. One of each such name, found by recording what a
process asks for, is planted beside a zip, a run and a study; then every command is run there.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("planted")  # they share a folder that takes long to make

COMMANDS = """
def run_commands():
    from myopia.cli.main import main

    algo = "ppo:num_envs=4,n_steps=16,batch_size=32,hidden=8"
    tiny = ["--total-timesteps", "300", "--algo", algo]
    for command in (
        ("envs",),
        ("oracle", "Work"),
        ("train", "Work", *tiny, "--out", "new"),
        ("train", "Work", *tiny, "--seeds", "0:2", "--out", "seeds"),
        ("train", "Work", *tiny, "--population", "2", "--out", "many"),
        ("train", "Work", "--total-timesteps", "300", "--algo", "dqn:hidden=8", "--out", "dqn"),
        ("evaluate", "run", "--probe", "all"),
        ("evaluate", "run", "--lifetimes", "100"),
        ("evaluate", "agent.zip", "Work", "--algo", "ppo"),
        ("evaluate", "mine:probabilities", "Work"),
        ("study", "study.toml", "--out", "studied", "--workers", "1"),
        ("report", "studied"),
        ("represent", "run", "--directions", "3", "--out", "inside"),
    ):
        assert main(command) == 0, command


if __name__ == "__main__":
    run_commands()
"""

API = """
def use_api():
    import myopia

    myopia.evaluate("run")
    myopia.evaluate("agent.zip", "Work", algo="ppo", probes="all")
    from pathlib import Path
    from myopia.envs import make_sb3, make_world
    from myopia.agents.policies.agent import Agent
    from myopia.agents.runs.run import RunConfig
    from myopia.agents.policies.sb3_zip import load_sb3_zip
    from myopia.agents.training.train import train
    from myopia.analysis.evaluation.evaluation import evaluate_agent
    from myopia.analysis.evaluation.evaluate_run import evaluate_run
    from myopia.analysis.report.report import write_report
    from myopia.analysis.report.results import collect
    from myopia.analysis.representations.inspection import inspect
    from myopia.analysis.representations.run import inspection_of
    from myopia.superposition import feature_dimensionality

    world = make_world("Work")
    make_sb3(world, 2).reset()
    algo = "a2c:num_envs=4,hidden=8"
    train(RunConfig("Work", world.dials(), algo, total_timesteps=300), Path("api"))
    evaluate_agent(world, Agent.load(Path("run")))
    evaluate_agent(world, load_sb3_zip(Path("agent.zip"), "ppo", world))
    evaluate_run(Path("run"), "all")
    write_report(collect(Path("run")), Path("page.html"))
    inspect(inspection_of(Path("run"), directions=3))


if __name__ == "__main__":
    use_api()
"""

STUDY = """
title = "tiny"
seeds = [0]
[base]
world = "Work"
algo = "ppo:num_envs=4,n_steps=16,batch_size=32,hidden=8"
total_timesteps = 300
[conditions.recipe]
"""

MINE = """
import numpy as np
import beside  # its author's own files find each other

def probabilities(observations):
    return np.full((len(observations), beside.ACTIONS), 1 / beside.ACTIONS)
"""

RECORDER = """
import json, sys

class Recorder:
    absent = set()

    def find_spec(self, name, path=None, target=None):
        if path is None:
            self.absent.add(name)

if __name__ == "__main__":
    sys.meta_path.append(Recorder())
"""

REPORT = """
if __name__ == "__main__":
    with open(sys.argv[1], "w") as file:
        json.dump(sorted(Recorder.absent), file)
"""

NEVER_PLANTED = {"mine", "beside", "script", "away"}


def downloads(folder: Path) -> Path:
    """A folder with a run, a zip, a study and a function of one's own."""
    folder.mkdir()
    (folder / "study.toml").write_text(STUDY)
    (folder / "mine.py").write_text(MINE)
    (folder / "beside.py").write_text("ACTIONS = 3\n")
    algo = "ppo:num_envs=4,n_steps=16,batch_size=32,hidden=8"
    tiny = ("--total-timesteps", "300", "--algo", algo)
    python(folder, "-P", "-m", "myopia.cli.main", "train", "Work", *tiny, "--out", "run")
    python(folder, "-P", "-m", "myopia.cli.main", "evaluate", "run")
    shutil.copy(folder / "run" / "model.zip", folder / "agent.zip")
    return folder


def python(folder: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, **environment},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def hub(tmp_path_factory) -> Path:
    """The folder, with a file of every name that is looked for and not there."""
    base = tmp_path_factory.mktemp("planted")
    clean, marks = downloads(base / "clean"), base / "marks"
    hub = base / "hub"
    shutil.copytree(clean, hub)
    marks.mkdir()
    record = base / "record.py"
    record.write_text(RECORDER + COMMANDS + API + REPORT)
    python(clean, str(record), str(base / "absent.json"))
    names = {n for n in json.loads((base / "absent.json").read_text()) if n.isidentifier()}
    names -= NEVER_PLANTED
    assert {"gym", "psutil", "cv2", "tensorflow", "dill", "msvcrt", "pandas"} <= names
    for name in names:
        mark = f"open({str(marks / name)!r}, 'w').close()\nraise ImportError('planted')\n"
        (hub / f"{name}.py").write_text(mark)
    plugin = hub / "plugin-1.0.dist-info"
    plugin.mkdir()
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    groups = ("torch.backends", "gymnasium.envs", "tensorboard_plugins", "numpy_hooks")
    points = "".join(f"[{group}]\nplugin = planted_plugin:run\n" for group in groups)
    (plugin / "entry_points.txt").write_text(points)
    (hub / "planted_plugin.py").write_text(f"open({str(marks / 'plugin')!r}, 'w').close()\n")
    (hub / "matplotlibrc").write_text("text.usetex: True\nfigure.facecolor: red\n")
    programs = base / "programs"
    programs.mkdir()
    for program in ("latex", "dvipng", "dvisvgm"):
        path = programs / program
        path.write_text(f"#!/bin/sh\ntouch {marks / program}\nexit 1\n")
        path.chmod(0o755)
    return hub


def marks_of(hub: Path) -> list[str]:
    return sorted(path.name for path in (hub.parent / "marks").iterdir())


def path_with(hub: Path) -> str:
    return f"{hub.parent / 'programs'}{os.pathsep}{os.environ.get('PATH', '')}"


def test_a_plant_would_be_found(hub: Path, tmp_path: Path) -> None:
    """Python itself does run what lies there: the plants are live."""
    subprocess.run([sys.executable, "-c", "import subprocess"], cwd=hub, check=False)
    assert "msvcrt" in marks_of(hub)
    (hub.parent / "marks" / "msvcrt").unlink()


def test_commands_run_nothing_that_was_not_named(hub: Path) -> None:
    """From a script in that folder, which is the hardest way: Python puts it on the path."""
    (hub / "script.py").write_text(COMMANDS)
    python(hub, "script.py", PATH=path_with(hub))
    assert marks_of(hub) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("myopia.cli.main", "report", "run"),
        ("myopia.cli.main", "evaluate", "agent.zip", "Work", "--algo", "ppo"),
        ("myopia.agents.train", "Work", "--total-timesteps", "64", "--out", "m"),
    ],
    ids=" ".join,
)
def test_python_started_with_m(hub: Path, arguments: tuple[str, ...]) -> None:
    python(hub, "-m", *arguments, PATH=path_with(hub))
    assert marks_of(hub) == []


def test_the_python_api(hub: Path) -> None:
    python(hub, "-c", API, PATH=path_with(hub))
    assert marks_of(hub) == []


@pytest.mark.parametrize("module", ["sb3", "credit_flags", "tensor", "wrapper"])
def test_a_module_that_is_imported_directly(hub: Path, module: str) -> None:
    python(hub, "-c", f"import myopia.envs.{module}")
    assert marks_of(hub) == []


@pytest.mark.parametrize("start", [("hub",), ("-m", "away")], ids=" ".join)
def test_started_otherwise(hub: Path, start: tuple[str, ...]) -> None:
    """A folder that is run, and a module that goes elsewhere before it begins."""
    train = 'main(["train", "Work", "--total-timesteps", "64", "--out", "/dev/null/x"])'
    body = f"from myopia.cli.main import main\n{train}\n"
    (hub / "__main__.py").write_text(body)
    (hub / "away.py").write_text("import os\nos.chdir('/')\n" + body)
    python(hub.parent if start == ("hub",) else hub, *start)
    assert marks_of(hub) == []


def test_a_colour_in_the_folder_is_not_taken(hub: Path) -> None:
    python(hub, "-m", "myopia.cli.main", "represent", "run", "--directions", "3", "--out", "red")
    from PIL import Image

    corner = Image.open(hub / "red" / "run" / "layers.png").convert("RGB").getpixel((2, 2))
    assert corner == (255, 255, 255)
