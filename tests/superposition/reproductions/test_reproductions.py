"""The exact rows hold; the trained ones in a small version (the full one: `myopia reproduce`)."""

import json

import pytest

from myopia.analysis.reproductions import REPRODUCTIONS
from myopia.cli.commands import reproduce as command
from myopia.superposition.reproductions import s_curves, toy_models


@pytest.mark.parametrize("name", REPRODUCTIONS)
def test_exact_rows_hold(name):
    rows = list(REPRODUCTIONS[name].rows(True))
    assert rows
    assert [row for row in rows if not row.passed] == []


def test_a_few_pentagons_by_the_full_recipe():
    rows = list(toy_models.pentagons(starts=12))
    assert all(row.passed for row in rows), rows


def test_small_descents():
    assert all(row.passed for row in s_curves.descent_against_flow(spreads=(0.1,), seeds=3))
    width, *shares = s_curves.drop_widths(seeds=3)
    assert width.passed, width
    assert [row.passed for row in shares] == [None] * 12


@pytest.mark.slow
def test_many_features_and_cross_entropy():
    assert all(row.passed for row in toy_models.many_features())
    assert next(s_curves.cross_entropy(seeds=3)).passed


def test_the_command(tmp_path, capsys):
    assert command.run(command.Options("audit", exact=True, out=tmp_path, json=True)) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "audit.json").read_text())
    assert {"target", "theirs", "ours", "tolerance", "passed"} <= printed[0].keys()
    assert command.run(command.Options(list=True)) == 0
    assert "toy-models" in capsys.readouterr().out
    with pytest.raises(ValueError, match="unknown results 'toymodels', did you mean 'toy-models'"):
        command.run(command.Options("toymodels"))
