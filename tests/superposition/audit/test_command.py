import json

import pytest

from myopia.cli.commands import audit as command


def test_the_command_audits_toys_and_sb3_towers(tmp_path, capsys):
    assert command.run(command.Options(out=tmp_path, steps=64, json=True)) == 0
    printed = json.loads(capsys.readouterr().out)
    rows = printed["rows"]
    assert {row["network"] for row in rows} == {
        "toy model, tied",
        "toy model, untied",
        "ReLU policy",
        "ReLU value",
        "tanh policy",
        "tanh value",
        "ReLU policy, its biases cut",
    }
    for row in rows:
        if row["kind"] != "order":
            assert row["function_change"] <= 1e-10, row
            assert row["verdict"] in ("invariant", "cured"), row
    dormant = next(a for a in printed["attacks"] if a["metric"] == "dormant ratio")
    assert dormant["after"] >= 0.5
    assert dormant["function_change"] <= 1e-10
    assert {path.name for path in tmp_path.iterdir()} == {"audit.json", "audit.png", "audit.txt"}


def test_steps_are_checked():
    with pytest.raises(ValueError, match="--steps must be at least 1, but is 0"):
        command.run(command.Options(steps=0))
