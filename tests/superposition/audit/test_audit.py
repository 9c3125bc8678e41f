"""The audit: functions stay, metrics move as theory says, the canonical form cures."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from myopia.superposition.audit import (
    TRANSFORMATIONS,
    audit_network,
    canonical,
    function_change,
    network_of_modules,
    read,
    scale_first_weights,
    scale_units,
    worst_scaling,
)
from myopia.superposition.audit.figure import audit_figure
from myopia.superposition.metrics import METRICS


def test_every_row_is_the_same_function_and_invariant_or_cured(network, inputs_of):
    rows = audit_network("it", network, inputs_of(network))
    assert rows
    for row in rows:
        if row.kind != "order":
            assert row.function_change <= 1e-10, row
            assert row.verdict in ("invariant", "cured"), row
        if row.metric == "functional D_i" and row.kind == "function":
            assert row.verdict == "invariant" or row.transformation == "add silent units", row


@pytest.mark.parametrize("seed", range(3))
def test_canonical_form_is_one_network(network, inputs_of, seed):
    inputs, before = inputs_of(network), canonical(network)
    assert function_change(network, inputs, before) <= 1e-12
    for transformation in TRANSFORMATIONS:
        if transformation.kind != "function" or not transformation.admits(network):
            continue
        generator = torch.Generator().manual_seed(seed)
        changed, _ = transformation.apply(network, inputs, generator)
        assert function_change(network, inputs, changed) <= 1e-10, transformation.name
        for ours, theirs in zip(before.layers, canonical(changed).layers, strict=True):
            assert torch.allclose(ours.weight, theirs.weight, atol=1e-8), transformation.name
            assert torch.allclose(ours.bias, theirs.bias, atol=1e-8), transformation.name


def test_transformations_compose_and_are_still_cured(network, inputs_of):
    inputs, generator = inputs_of(network), torch.Generator().manual_seed(0)
    changed = network
    for transformation in TRANSFORMATIONS:
        if transformation.kind == "function" and transformation.admits(changed):
            changed, _ = transformation.apply(changed, inputs, generator)
    assert function_change(network, inputs, changed) <= 1e-10
    for ours, theirs in zip(canonical(network).layers, canonical(changed).layers, strict=True):
        assert torch.allclose(ours.weight, theirs.weight, atol=1e-7)


def test_canonical_form_folds_constants_and_drops_what_is_dead(relu, inputs_of):
    first, second, last = relu.layers
    weight = first.weight.clone()
    weight[0] = 0
    out = second.weight.clone()
    out[:, 1] = 0
    changed = relu.with_layers(0, replace(first, weight=weight), replace(second, weight=out))
    clean = canonical(changed)
    assert len(clean.layers[0].bias) == len(first.bias) - 2
    assert function_change(changed, inputs_of(relu), clean) <= 1e-12
    assert clean.layers[-1].weight.sum(0).abs().max() < 1e-12
    assert len(clean.layers[1].bias) == last.weight.shape[1]


def test_a_dead_network_keeps_one_unit(relu, inputs_of):
    last = relu.layers[-1]
    dead = relu.with_layers(2, replace(last, weight=torch.zeros_like(last.weight)))
    clean = canonical(dead)
    assert [len(layer.bias) for layer in clean.layers] == [1, 1, 3]
    assert function_change(dead, inputs_of(relu), clean) <= 1e-12
    assert all(bool(torch.isfinite(layer.weight).all()) for layer in clean.layers)


@pytest.mark.parametrize("c", [0.25, 3.0])
def test_the_scale_criticism(bare, relu, inputs_of, c):
    inputs = inputs_of(relu)
    scale = torch.full((len(relu.layers[0].bias),), c, dtype=torch.float64)
    for before, after in (
        (relu, scale_units(relu, 0, scale)),
        (bare, scale_first_weights(bare, c)),
    ):
        old, new = read(before, inputs, 0), read(after, inputs, 0)
        ratio = METRICS["dimensions per feature"](new) / METRICS["dimensions per feature"](old)
        assert ratio == pytest.approx(1 / c**2)
        for name in ("D_i", "functional D_i", "dormant ratio", "srank"):
            assert torch.allclose(
                METRICS[name](new).double(), METRICS[name](old).double(), atol=1e-9
            ), name
    outputs = bare(inputs), scale_first_weights(bare, c)(inputs)
    assert torch.equal(outputs[0].argsort(), outputs[1].argsort())
    assert function_change(bare, inputs, scale_first_weights(bare, c)) > 1e-3


def test_the_search_puts_neurons_to_sleep(bare, inputs_of):
    inputs = inputs_of(bare)
    attack = worst_scaling(bare, inputs, 0, "dormant ratio")
    assert attack.before == 0
    assert attack.after >= 0.5
    assert attack.function_change <= 1e-10
    functional = worst_scaling(bare, inputs, 0, "functional D_i")
    assert functional.after == pytest.approx(functional.before, abs=1e-9)


def test_refusals(relu, inputs_of):
    with pytest.raises(ValueError, match="unknown metric 'sleep'; the metrics are"):
        worst_scaling(relu, inputs_of(relu), 0, "sleep")
    with pytest.raises(ValueError, match="no neuron scale"):
        worst_scaling(relu, inputs_of(relu), 0, "saturation")
    with pytest.raises(ValueError, match=r"must be \(samples, 4\), but are \(7, 3\)"):
        audit_network("it", relu, torch.ones(7, 3))
    with pytest.raises(ValueError, match="Linear, ReLU and Tanh in a row"):
        network_of_modules([nn.Linear(2, 2), nn.Sigmoid()], "values")


def test_modules_give_the_same_outputs():
    tower = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)).double()
    x = torch.randn(10, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(network_of_modules(tower, "values")(x), tower(x))


def test_the_figure_draws_the_largest_move_over_layers(relu, inputs_of):
    rows = audit_network("it", relu, inputs_of(relu))
    figure = audit_figure(rows)
    image = figure.axes[0].images[0].get_array()
    changes = list(dict.fromkeys(row.transformation for row in rows))
    metrics = list(dict.fromkeys(row.metric for row in rows))
    at = changes.index("one scale per neuron"), metrics.index("D_i")
    drawn = [r for r in rows if (r.transformation, r.metric) == (changes[at[0]], "D_i")]
    assert image[at] == max(row.moved for row in drawn)
    assert image[changes.index("permute the units"), metrics.index("D_i")] == 0
