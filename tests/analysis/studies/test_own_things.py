"""A study in Python that registers things of its own: its workers and its report have them, too."""

import json
from pathlib import Path

from myopia.cli.main import main

STUDY = '''
import dataclasses

import numpy as np

from myopia.analysis.measures.measure import measure
from myopia.analysis.measures.score import Score
from myopia.analysis.probes.probe import probe
from myopia.analysis.studies.study import Study
from myopia.envs.schedule import DecayingSchedule, schedule


@schedule
@dataclasses.dataclass(frozen=True)
class OwnRoot(DecayingSchedule):
    """The square root of what linear has."""

    def before_cutoff(self, epoch):
        return np.sqrt(1 - epoch / self.cutoff)


@measure(scores={"own_first": Score("own first", "own_first", "reward of the first epoch")})
def own_first(context):
    """Reward of the first epoch."""
    return {"own_first": float(context.occupancy.reward[0])}


@probe
def own_probe(world):
    """Does it stop where it cannot?"""
    return {"never": world.replace(shutdown="never")}


STUDY = Study(
    title="Own things",
    base={
        "world": "Work",
        "algo": "ppo:num_envs=4,n_steps=16,hidden=8,batch_size=64",
        "total_timesteps": 128,
        "schedule": "ownroot:cutoff=4",
    },
    conditions={"a": {}, "b": {"max_epochs": 14}},
    seeds=(0,),
    probes=("own-probe",),
    primary=("b: own_first",),
)
'''


def test_workers_and_report_have_them(tmp_path: Path, monkeypatch, capsys) -> None:
    import subprocess
    import sys

    monkeypatch.chdir(tmp_path)
    Path("own_things.py").write_text(STUDY, encoding="utf-8")

    def myopia(*arguments: str) -> subprocess.CompletedProcess:
        program = [sys.executable, "-m", "myopia.cli.main", *arguments]
        return subprocess.run(program, capture_output=True, text=True)

    said = myopia("study", "own_things.py", "--out", "out", "--workers", "1")
    assert said.returncode == 0, said.stderr
    follow_up = said.stdout.splitlines()[-1].split()[1:]
    for name in ("a", "b"):
        entries = json.loads(Path(f"out/{name}/seed-0/evaluation.json").read_text())
        assert entries["own_first"] > 0
        assert entries["probes"].keys() == {"own-probe"}
    # what a folder names is not run by itself, and the command that was told says what is to be
    assert main(["report", "out"]) == 2
    assert "--world-module" in capsys.readouterr().err
    said = myopia(*follow_up)
    assert said.returncode == 0, said.stderr
    page = Path("out/index.html").read_text(encoding="utf-8")
    assert "Does it stop where it cannot?" in page
    assert "reward of the first epoch" in page
