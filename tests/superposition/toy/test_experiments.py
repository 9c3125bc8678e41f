"""Every experiment in a few steps: a table, an answer, a figure, and no broken floor."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from myopia.cli.commands import toy as command
from myopia.superposition.output import to_json
from myopia.superposition.toy.experiments import (
    adversarial,
    dynamics,
    monosemantic,
    pentagon,
    sparsity,
)
from myopia.superposition.toy.experiments.experiment import EXPERIMENTS
from myopia.superposition.toy.lower_bounds import broken


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiment(name):
    experiment = EXPERIMENTS[name]
    result = experiment.run(replace(experiment.training, steps=2, batch=32))
    assert result.rows
    assert result.answer
    assert not broken(result.lower_bounds)
    assert all(row.keys() == result.rows[0].keys() for row in result.rows)
    assert any(axis.has_data() for axis in result.figure.axes)
    json.loads(to_json(result.rows))


def test_the_sparsity_figure_draws_every_feature():
    rows = [
        {"density": p, "dimensions per feature": 0.5, "D_i": [0.5, 0.4, 0.0]} for p in (1.0, 0.1)
    ]
    top, bottom = sparsity.figure(rows).axes
    assert np.allclose(top.lines[0].get_xydata(), [[1, 2], [10, 2]])
    assert [list(line.get_ydata()) for line in bottom.lines[:2]] == [[0.5, 0.4, 0.0]] * 2


def test_regular_pentagons_are_told_from_others():
    angles = 2 * torch.pi * torch.arange(5) / 5
    W = torch.stack([angles.cos(), angles.sin()])
    bent = W.clone()
    bent[:, 0] *= 1.2
    assert pentagon.is_regular_pentagon(torch.stack([W, bent])).tolist() == [True, False]


def test_jumps_and_steps_are_found_where_they_are():
    looks = np.arange(400)
    spectrum = np.stack([0.5 / (1 + np.exp(-(looks - 200) / 3)), np.full(400, 0.3)], axis=1)
    assert dynamics.find_jumps(spectrum) == [pytest.approx(200, abs=dynamics.WINDOW)]
    loss = np.exp(-looks / 1000) * (1 - spectrum[:, 0])
    assert dynamics.find_loss_steps(loss) == [pytest.approx(200, abs=dynamics.WINDOW)]
    assert dynamics.find_jumps(spectrum[:10]) == dynamics.find_loss_steps(loss[:10]) == []


def test_a_neuron_for_one_feature_is_pure():
    model = monosemantic.ToyModel.start(
        monosemantic.SHAPE, 1, torch.Generator().manual_seed(0), initial_bias=0.0
    )
    model.encoder[0] = 0
    model.encoder[0, 0, 3] = 1
    model.encoder[0, 1, :2] = 1
    purity = monosemantic.neuron_purity(model, lambda x: x)[0]
    assert purity[:2].tolist() == [1, 0.5]
    assert bool(purity[2:].isnan().all())


def test_the_command_writes_all_three(tmp_path, capsys):
    options = command.Options("correlated", out=tmp_path, steps=2, json=True)
    assert command.run(options) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "result.json").read_text())
    assert printed["training"]["steps"] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "figure.png",
        "result.json",
        "table.txt",
    ]


def test_an_unknown_experiment_is_named(capsys):
    with pytest.raises(ValueError, match="unknown experiment 'pentagram', did you mean 'pentagon'"):
        command.run(command.Options("pentagram"))
    assert command.run(command.Options("list")) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(EXPERIMENTS)


def test_the_attack_stays_in_its_ball_and_beats_random_pushes():
    shape, generator = adversarial.Shape(6, 2), torch.Generator().manual_seed(0)
    model = adversarial.ToyModel.start(shape, 2, generator)
    x = torch.rand(2, 6, 50, generator=generator)
    worst = adversarial.attack(model, x, 0.1)
    for _ in range(50):
        push = torch.randn(2, 6, 50, generator=generator)
        push = 0.1 * push / push.norm(dim=1, keepdim=True)
        # ascent may end on a lower hill here and there
        assert (adversarial._error(model, x + push, x) <= worst + 1e-4).float().mean() > 0.95
    scale = torch.linalg.matrix_norm(model.linear_path(), 2) * 0.1 + 0.1
    clean = adversarial._error(model, x, x).sqrt()
    assert bool((worst.sqrt() <= clean + scale[:, None]).all())
