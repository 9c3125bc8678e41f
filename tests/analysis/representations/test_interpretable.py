"""Interpretable capability of agents: regret of a variable by hand, and the sweep end to end."""

import json

import pytest
import torch
from support.agents import agent_of, by_hand, fresh_policy, inspection_of
from torch import nn

from myopia.analysis.exact.policies import agent_policy
from myopia.analysis.representations.interpretable import regret_without
from myopia.analysis.representations.parts import dictionaries
from myopia.cli.main import main
from myopia.envs import make_world


def test_regret_of_what_an_agent_does_not_look_at_is_zero():
    world = make_world("Investment", max_epochs=6, schedule="linear:cutoff=3,upkeep=0.5")
    inspection = inspection_of(world, by_hand(world, nn.ReLU)[0])
    assert regret_without(inspection, "index") > 0.5
    for variable in ("step", "wealth", "pending"):
        assert regret_without(inspection, variable) == pytest.approx(0, abs=1e-6)


def test_erasing_the_index_is_averaging_over_what_is_displayed():
    world = make_world("Work", max_epochs=4, schedule="linear:cutoff=2,upkeep=0.5")
    policy = fresh_policy(world, seed=1)
    inspection, agent = inspection_of(world, policy), agent_of(policy, world)
    # every epoch is as likely as every other under the reference: a plain mean over what is shown
    tables = [agent_policy(world, agent, shown) for shown in range(4)]
    erased = torch.from_numpy(sum(tables) / 4)
    rows = erased.reshape(-1, len(world.actions))[inspection.states.cells]
    expected = inspection.states.total(inspection.probabilities) - inspection.states.total(rows)
    assert regret_without(inspection, "index") == pytest.approx(expected, abs=1e-6)


def test_the_sweep_from_the_command_line(tmp_path, capsys):
    out = tmp_path / "sweep"
    arguments = [
        "capability", "Investment", "max_epochs=4", "epoch_length=2",
        "schedule=linear:cutoff=2,upkeep=0.5", "--widths", "1", "4", "--seeds", "2",
        "--steps", "4096", "--directions", "10", "--out", str(out), "--json",
    ]  # fmt: skip
    assert main(arguments) == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["variables"] == ["index", "step", "wealth", "pending"]
    assert [(row["world"], row["width"]) for row in whole["rows"]] == [
        (f"Investment, {basis}", width) for basis in ("scalars", "onehot") for width in (1, 4)
    ]
    assert (out / "figure.png").exists()
    assert len(list(out.glob("width-*"))) == 4
    # the numbers again, from the folders that are there
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out) == whole
    assert main(["capability", "--seeds", "0"]) == 2
    assert "--seeds must be at least 1" in capsys.readouterr().err


def test_represent_from_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(dictionaries, "STEPS", 10)
    runs = []
    dials = ["max_epochs=4", "epoch_length=2", "schedule=linear:cutoff=2,upkeep=0.5"]
    for seed in (0, 1):
        runs.append(str(tmp_path / f"seed-{seed}"))
        algo = "ppo:hidden=6/6"
        trained = ["train", "Investment", *dials, "--algo", algo, "--seed", str(seed),
                   "--total-timesteps", "8192", "--out", runs[-1]]  # fmt: skip
        assert main(trained) == 0
    capsys.readouterr()
    out = tmp_path / "compared"
    assert main(["represent", *runs, "--directions", "20", "--out", str(out), "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    first = whole["runs"]["seed-0"]
    assert first["distribution"] == "reference"
    assert [row["feature"] for row in first["features"]] == ["index", "step", "wealth", "pending"]
    assert set(first["parts"]) == {
        "dictionaries", "erasure", "layers", "linear_decoder", "logit_attribution", "patching",
        "steering", "training"
    }  # fmt: skip
    assert len(first["parts"]["training"]["training"]) >= 4  # two layers, two snapshots or more
    assert {row["layer"] for row in whole["similarity"]["similarity"]} == {
        "policy.1", "policy.2", "value.1", "value.2"
    }  # fmt: skip
    files = {path.name for path in (out / "seed-0").iterdir()}
    assert {"representations.json", "tables.txt", "layers.png", "training.png"} <= files
    assert (out / "similarity.png").exists()
    assert main(["represent", runs[0], "--directions", "5", "--distribution", "visited"]) == 0
    text = capsys.readouterr().out
    assert "visited states" in text
    assert "policy.2" in text
    assert (tmp_path / "seed-0/representations/representations.json").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["represent", "no/such/run"], "no/such/run"),
     (["represent"], "at least one run folder"),
     (["represent", "runs", "--basis", "one-hot"], "invalid choice")],
)  # fmt: skip
def test_bad_input(arguments, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
