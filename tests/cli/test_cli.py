"""The command line: results for people and machines, and one plain sentence for bad input."""

import copy
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from myopia.cli.main import commands, main

TABLE = ["epoch_length=1", "gain=1", "max_wealth=99", "schedule=linear:cutoff=6,upkeep=0.5"]


def printed(capsys, *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", commands())
def test_help_shows_an_example(name: str, capsys) -> None:
    with pytest.raises(SystemExit) as done:
        main([name, "--help"])
    assert done.value.code == 0
    assert "Example: myopia" in capsys.readouterr().out


def test_the_overview_names_every_command(capsys) -> None:
    text = printed(capsys)
    assert all(name in text for name in commands())


def test_envs_lists_every_world(capsys, world_name: str) -> None:
    row = json.loads(printed(capsys, "envs", "--json"))[world_name]
    assert row["id"] == f"myopia/{world_name}-v0"
    assert row["actions"][-1] == "shutdown"
    assert row["dials"]["index"] == "exact"
    assert world_name in printed(capsys, "envs")


@pytest.mark.parametrize(("delta", "total"), [("0", 3.5), ("1", 5.0)])
def test_oracle(capsys, delta: str, total: float) -> None:
    result = json.loads(
        printed(capsys, "oracle", "--delta", delta, *TABLE[:2], "Investment", *TABLE[2:], "--json")
    )
    assert result["return"] == pytest.approx(total, abs=1e-9)
    assert result["stop"]["mean"] == 6
    assert result["stop"]["survival"] == [1.0] * 6 + [0.0] * 6
    assert result["dials"]["max_wealth"] == 99
    assert result["first_actions"][0] == (["invest"] if delta == "1" else ["work"])
    assert result["first_actions"][-1] == ["shutdown"]
    if delta == "1":
        assert result["value"] == pytest.approx(5)
    text = printed(capsys, "oracle", "myopia/Investment-v0", *TABLE, "--delta", delta)
    assert "mean stop epoch      6" in text


def test_evaluate_a_reference_policy(capsys) -> None:
    entries = json.loads(printed(capsys, "evaluate", "stop-at:2", "Investment", "gain=1", "--json"))
    assert entries["stop"]["premature"] == 1
    assert entries["method"] == "exact"
    assert entries["dials"]["gain"] == 1
    text = printed(capsys, "evaluate", "myopic", "Investment")
    assert "In this world it is myopic, stopping at the cutoff." in text
    assert "it is myopic" in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["orcle", "Work"], "unknown command 'orcle', did you mean 'oracle'"),
        (["oracle", "Wrk"], "unknown world 'Wrk', did you mean 'Work'"),
        (["oracle", "Work", "gain=1"], "unknown dial 'gain'"),
        (["oracle", "Work", "max_epochs=2", "max_epochs=3"], "given twice"),
        (["oracle", "Work", "--delta", "2"], "delta must lie in 0..1, got 2"),
        (["oracle", "Work", "schedule=table:weight=0.5/1"], "rises"),
        (["oracle", "Investment", "schedule=linear:cutoff=99"], "lies beyond max_epochs=12"),
        (["envs", "gain=1"], "myopia envs takes no dials, but was given gain=1"),
        (["evaluate", "random"], "needs a world beside it"),
        (["evaluate", "no/such/run"], "there is no 'no/such/run': expected a run folder or a zip"),
        (["train", "Work", "--algo", "pp"], "unknown algorithm 'pp', did you mean 'ppo'"),
        (["train", "Work", "--credit", "epochs"], "did you mean 'epoch'"),
        (
            ["train", "Work", "--total-timesteps", "0"],
            "total_timesteps must lie in 1..1000000000000000, got 0",
        ),
        (["train", "Work", "--seed", "-1"], "seed must lie in 0..4294967295, got -1"),
        (["train", "Work", "--device", "tpu"], "device must be one of auto, cpu, cuda"),
        (["report", "no/such/folder"], "expected a folder of runs"),
        (["evaluate", "random", "Work", "--probe", "all"], "expected a run folder"),
        (["oracle"], "Missing from myopia oracle"),
        (["oracle", "Work", "extra"], "Unrecognized options: extra"),
        (["oracle", "Work", "--delta", "abc"], "could not convert string to float: 'abc'"),
        (["oracle", "Work", "max_epochs=10000000"], "max_epochs must be at most 100000"),
        (["evaluate", "oracle:delta=0.5,beta=inf", "Work"], "beta must be finite and >= 0"),
        (["evaluate", "a.zip", "Work"], "needs the world and the algorithm it is of"),
        (["evaluate", "a.zip", "--algo", "ppo"], "needs the world and the algorithm it is of"),
        (["evaluate", "a.zip", "Work", "--algo", "ppo"], "No such file or directory: a.zip"),
        (["evaluate", "a.zip", "Work", "--algo", "pp"], "unknown algorithm 'pp'"),
        (
            ["evaluate", "random", "Work", "--trust"],
            "--algo, --trust and --vecnormalize are for a zip",
        ),
        (["evaluate", "random", "Work", "--greedy"], "--greedy is for a trained agent"),
        (["train", "Work", "--danger", "0.5"], "expected --cadence too"),
        (["train", "Work", "--cadence", "--danger", "0.5"], "--danger needs --baseline"),
        (["train", "Work", "--cadence", "--baseline", "no"], "expected a run folder"),
        (["train", "Work", "--cadence", "--cadence-seconds", "0"], "must be above 0, got 0"),
        (["train", "Work", "--population", "2", "--cadence"], "--cadence follows one run"),
        (["train", "Work", "--seeds", "0:2", "--cadence"], "--cadence follows one run"),
        (["train", "Work", "--algo", "recurrentppo", "--cadence"], "with a memory is judged by"),
        (["bench", "envs", "--device", "cuda"], "times numpy on a CPU"),
        (["s-curves", "--device", "cuda"], "needs CUDA, which is not here"),
        (
            ["evaluate", "os:getcwd", "Work"],
            "'os:getcwd', called with observations (48, 16), raised",
        ),
        (["train", "Work", "--checkpoint-seconds", "-1"], "must be at least 0, got -1"),
        (["bench", "env"], "unknown benchmark 'env', did you mean 'envs'"),
        (["study", "quikstart"], "unknown study 'quikstart', did you mean 'quickstart'"),
        (["study", "none.toml"], "none.toml: no such file"),
        (["study", "quickstart", "--workers", "0"], "workers must be at least 1, got 0"),
        (["study", "quickstart", "--backend", "rai"], "unknown backend 'rai', did you mean 'ray'"),
        (
            ["evaluate", "random", "Work", "--lifetimes", "3"],
            "lifetimes must be at least 10, got 3",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(arguments, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.startswith("myopia: ")
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir()), "bad input must write nothing"


def test_evaluate_a_function(capsys, tmp_path, monkeypatch) -> None:
    (tmp_path / "my_agent.py").write_text(
        "import numpy as np\n"
        "def works(seen):\n    return np.eye(3)[np.zeros(len(seen), dtype=int)]\n"
        "def loud(seen):\n    return np.full((len(seen), 3), 0.5)\n"
        "constant = 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    entries = json.loads(printed(capsys, "evaluate", "my_agent:works", "Work", "--json"))
    assert entries["stop"]["overrun"] == 1
    assert [row["shutdown"] for row in entries["index_response"]] == [0] * 13
    assert "cutoff-moved" in printed(capsys, "evaluate", "my_agent:works", "Work", "--probe", "all")
    for subject, sentence in (
        ("my_agent:loud", "no distribution over actions: [0.5, 0.5, 0.5]"),
        ("my_agent:none", "nor a function that can be imported"),
        ("my_agent:constant", "expected a function, got int"),
    ):
        assert main(["evaluate", subject, "Work"]) == 2
        assert sentence in capsys.readouterr().err


def test_evaluate_a_zip(capsys, tmp_path) -> None:
    """Our own run's, as a stranger's: the same numbers as the run folder's."""
    small = "ppo:num_envs=8,n_steps=8,batch_size=32,hidden=6"
    run = str(tmp_path / "run")
    printed(capsys, *("train", "Work", "--algo", small, "--total-timesteps", "64", "--out", run))
    ours = json.loads(printed(capsys, "evaluate", run, "--json"))
    path = f"{run}/model.zip"
    for trust in ([], ["--trust"]):
        theirs = printed(capsys, "evaluate", path, "Work", "--algo", "ppo", "--json", *trust)
        found = json.loads(theirs) | {"policy": "run"}
        assert found["objective_share"] is None, "what a zip was trained for is not known"
        for one in (found, asked := copy.deepcopy(ours)):
            del one["objective_share"], one["reasons"], one["class"]
        assert found == asked
    greedy = json.loads(printed(capsys, "evaluate", run, "--greedy", "--json"))
    assert greedy["return"] != ours["return"]
    kept = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert kept.pop("learning")["steps"][-1] == 64
    assert kept == ours
    assert main(["evaluate", path, "Investment", "--algo", "ppo"]) == 2
    assert "does not fit a ppo policy in Investment" in capsys.readouterr().err


def test_train_with_a_cadence(capsys, tmp_path) -> None:
    asked = ["Investment", "--algo", "ppo:num_envs=8,n_steps=8,batch_size=32,hidden=6"]
    asked += ["--total-timesteps", "256", "--cadence", "--elicitation-timesteps", "64"]
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    printed(capsys, "train", *asked, "--out", first)
    kept = json.loads((tmp_path / "first" / "cadence.json").read_text())
    assert [one["timesteps"] for one in kept["evaluations"]] == [0, 64, 256]
    assert all(one["before"]["capability"] < 1 for one in kept["evaluations"])
    printed(capsys, "train", *asked, "--baseline", first, "--seed", "1", "--out", second)
    assert main(["train", *asked, "--baseline", first, "--danger", "9"]) == 2
    assert "danger level 9: the expected curve never reaches it" in capsys.readouterr().err
    assert main(["train", "Work", "--cadence", "--baseline", first]) == 2
    assert "was trained in another world" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_folders_that_cannot_be(out: str, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("in the way")
    assert main(["train", "Work", "--out", out]) == 2
    assert capsys.readouterr().err.startswith("myopia: ")
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_closed_pipe_is_no_crash() -> None:
    command = f"{sys.executable} -m myopia.cli.main envs | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout
    assert done.stderr == ""


def test_train_evaluate_report_from_the_shell(tmp_path: Path) -> None:
    def myopia(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "myopia.cli.main", *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        return done.stdout

    told = myopia("train", "Work", "--total-timesteps", "4096", "--out", "runs/a", "max_epochs=6")
    assert "runs/a" in told
    assert "Work" in myopia("evaluate", "runs/a")
    entries = json.loads((tmp_path / "runs/a/evaluation.json").read_text())
    assert entries["dials"]["max_epochs"] == 6
    assert "done already" in myopia(
        "train", "Work", "--total-timesteps", "4096", "--out", "runs/a", "max_epochs=6"
    )
    reshaped = subprocess.run(
        [sys.executable, "-m", "myopia.cli.main", "evaluate", "runs/a", "max_epochs=5"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert reshaped.returncode == 2
    assert "changes what is observed, from 10 entries to 9" in reshaped.stderr
    other = json.loads(myopia("evaluate", "runs/a", "channel=severed", "--json"))
    assert other["dials"]["channel"] == "severed"
    assert json.loads((tmp_path / "runs/a/evaluation.json").read_text()) == entries
    assert "wrote" in myopia("report", "runs", "--out", "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("<svg") >= 5
    assert "http" not in page.replace("http://www.w3.org", "")  # the names of SVG's own parts


QUICK = ("--algo", "ppo:num_envs=4,n_steps=16,batch_size=32", "--total-timesteps", "128")


def test_training_twice_changes_nothing(capsys, tmp_path: Path) -> None:
    command = ("train", "Work", *QUICK, "--out", str(tmp_path / "run"))
    text = printed(capsys, *command)
    assert text.startswith("trained: ppo in Work")
    assert "device cpu: " in text
    assert printed(capsys, *command).startswith("done already: ppo in Work")


def test_a_population(capsys, tmp_path: Path) -> None:
    extra = ("--population", "2", "--rank", "epoch", "--interval", "64", "--swap")
    text = printed(capsys, "train", "Work", *QUICK, *extra, "--out", str(tmp_path / "p"))
    assert text.startswith("population of 2: ppo in Work")
    assert (tmp_path / "p" / "member-01" / "weights.safetensors").exists()


def test_tracking_only_when_asked(capsys, tmp_path: Path, monkeypatch) -> None:
    """With a stand-in for wandb: what it is told, and that it is told the end."""
    told = []

    class Run:
        def finish(self) -> None:
            told.append("finished")

    module = types.ModuleType("wandb")
    module.init = lambda **settings: told.append(settings) or Run()
    monkeypatch.setitem(sys.modules, "wandb", module)
    printed(capsys, "train", "Work", *QUICK, "--out", str(tmp_path / "plain"))
    assert told == []
    printed(capsys, "train", "Work", *QUICK, "--track", "--out", str(tmp_path / "tracked"))
    assert told[0]["config"]["world"] == "Work"
    assert told[0]["sync_tensorboard"]
    assert told[1:] == ["finished"]
    monkeypatch.setitem(sys.modules, "wandb", None)
    out = tmp_path / "missing"
    assert main(["train", "Work", *QUICK, "--track", "--out", str(out)]) == 2
    assert "pip install 'myopia[track]'" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--algo", "pop"), "did you mean 'ppo'"),
        (("--algo", "ppo:gama=1"), "did you mean 'gamma'"),
        (("--credit", "epok"), "did you mean 'epoch'"),
        (("--algo", "dqn", "--credit", "window:3"), "needs an on-policy algorithm such as ppo"),
        (("--swap",), "expected --population N"),
        (("--population", "1"), "at least 2 members"),
        (("--device", "cuda"), "sees no CUDA device"),
    ],
)
def test_bad_training_writes_nothing(arguments, said, capsys, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    out = tmp_path / "run"
    assert main(["train", "Work", *arguments, "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_read_only_folder_is_one_sentence(capsys, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    # root may write anywhere, but not there
    closed = tmp_path if os.geteuid() else Path("/proc")
    assert main(["train", "Work", *QUICK, "--out", str(closed / "run")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_in_the_place_of_the_folder_is_one_sentence(capsys, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    assert main(["train", "Work", *QUICK, "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "run").read_text() == "mine"


def test_many_seeds_in_one_program(capsys, tmp_path: Path) -> None:
    small = ("--algo", "ppo:num_envs=8,n_steps=16,batch_size=64", "--total-timesteps", "256")
    said = printed(capsys, "train", "Work", "--seeds", "4:6", *small, "--out", str(tmp_path))
    assert "2 seeds of ppo in Work" in said
    assert {path.name for path in tmp_path.iterdir()} == {"seed-4", "seed-5"}
    record = json.loads((tmp_path / "seed-5" / "run.json").read_text())
    assert (record["status"], record["seed"]) == ("done", 5)
    assert main(["train", "Work", "--seeds", "5"]) == 2
    assert "expected FIRST:END" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["toy", "list"], ["reproduce", "--list"]])
def test_lists_for_machines(arguments: list[str], capsys) -> None:
    listed = json.loads(printed(capsys, *arguments, "--json"))
    assert listed
    assert all(name in printed(capsys, *arguments) for name in listed)


def test_a_folder_of_runs_is_told_from_a_run(capsys, tmp_path: Path) -> None:
    (tmp_path / "seed-0").mkdir()
    (tmp_path / "seed-0" / "config.json").write_text("{}")
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "holds 1 run, and none of them is finished" in capsys.readouterr().err


def test_a_sampled_discount_is_no_narrower_than_its_bracket(capsys) -> None:
    """Every part of the jackknife finds the same middle of a deterministic policy's bracket."""
    told = printed(capsys, "evaluate", "lifetime", "Investment", "--lifetimes", "200")
    assert "delta-hat                   in [0.478, 1.000]" in told
