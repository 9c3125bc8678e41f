import json

from myopia.cli.commands import s_curves as command
from myopia.superposition.curves import Sweep


def test_the_command_writes_figures_and_answers(tmp_path, capsys):
    sweep = Sweep(seeds=2, mse_steps=30, cross_entropy_steps=30, d=12)
    assert command.run(command.Options(sweep, out=tmp_path, json=True)) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "result.json").read_text())
    assert len(printed["rows"]) == 16
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "curves.png",
        "overlap.png",
        "plateaus.png",
        "oracle.png",
    }
