"""What was built into an agent by hand is what the inspection finds."""

import numpy as np
import pytest
import torch

from myopia.analysis.representations.effects import shutdown_logit
from myopia.analysis.representations.parts import (
    erasure,
    layers,
    logit_attribution,
    patching,
    steering,
    training,
)
from myopia.analysis.representations.policy_networks import activations
from myopia.superposition.erasure import erase
from myopia.superposition.linear_decoder import held_out_r2, linear_r2, whole_groups


def test_it_shuts_down_at_the_cutoff(hand):
    inspection, _ = hand
    stop = inspection.states.stop(inspection.probabilities)
    assert stop[inspection.world.cutoff] > 0.999


def test_the_direction_is_found(hand):
    inspection, directions = hand
    rows = layers.layers(inspection)["features"]
    for layer, true in directions.items():
        (row,) = (
            r for r in rows if (r["layer"], r["form"], r["feature"]) == (layer, "raw", "index")
        )
        found = np.array(row["direction"])
        assert found @ true / np.linalg.norm(found) >= 0.99
        assert row["functional D_i"] > 0.99


def test_a_shift_flips_the_behaviour_and_random_directions_do_not(hand):
    inspection, directions = hand
    tables = steering.steering(inspection)
    for layer in directions:
        for row in tables["steering"]:
            if (row["layer"], row["variable"]) == (layer, "index"):
                assert row["mean stop moves by"] == pytest.approx(-row["by"], abs=0.01)
                assert row["really moves by"] == pytest.approx(row["mean stop moves by"], abs=0.01)
                assert row["along the real change"] == pytest.approx(1, abs=0.01)
                if abs(row["by"]) == 1:
                    assert row["along by chance"] < 0.6
        causes = {r["variable"]: r for r in tables["effects"] if r["layer"] == layer}
        assert causes["index"]["causal"]
        assert causes["index"]["causal for the stop"]
        assert causes["index"]["cosine of random directions"] < 0.3
        for other in ("step", "wealth", "pending"):
            assert not causes[other]["causal"]


def test_contrasts_shift_it_as_well(hand):
    inspection, _ = hand
    world, networks = inspection.world, inspection.networks
    other = type(inspection)(world, networks, inspection.fresh, basis="onehot", directions=5)
    tables = steering.steering(other)
    moved = {(r["layer"], r["by"]): r for r in tables["steering"] if r["variable"] == "index"}
    for (_, by), row in moved.items():
        assert row["mean stop moves by"] == pytest.approx(-by, abs=0.01)


def test_what_is_erased_cannot_be_read_again(hand):
    inspection, directions = hand
    for row in erasure.erasures(inspection)["erasures"]:
        assert row["valid"]
        assert row["R2 after"] <= 0.02
        if row["variable"] == "index":
            assert row["beyond chance"]
            assert row["stop total variation"] > 0.2
    # a probe that is fitted anew, and scored on other groups, reads nothing either
    share, index = inspection.share, torch.from_numpy(inspection.states.variables["index"])
    index = index.unsqueeze(1)
    groups = torch.from_numpy(inspection.states.state * 10 + inspection.states.step)
    folds = whole_groups(groups, 5, torch.Generator().manual_seed(0))
    for layer in directions:
        hidden = inspection.cache[layer]
        assert held_out_r2(hidden, index, folds, share) > 0.5
        erased = erase(hidden, index, share)(hidden)
        assert held_out_r2(erased, index, folds, share) <= 0.02
        assert linear_r2(erased, index, share) <= 0.02


def test_one_line_carries_the_whole_patch(hand):
    inspection, _ = hand
    tables = patching.patching(inspection)
    for row in tables["patches"]:
        assert row["share by units"][-1] == pytest.approx(1, abs=1e-6)
        assert row["along the index"] == pytest.approx(1, abs=0.02)
        assert row["shutdown logit"] == pytest.approx(
            60 if row["from"] > row["to"] else -60, rel=0.01
        )
    assert {(row["from"], row["to"]) for row in tables["patches"]} == {(2, 3), (3, 2)}


def test_contributions_add_up_to_the_logit(hand):
    inspection, _ = hand
    rows = logit_attribution.logit_attribution(inspection)["contributions"]
    last = inspection.networks.actor.layers[-1]
    logits = shutdown_logit(inspection.cache["policy.out"])
    for k in (0, 2, 5):
        here = torch.from_numpy(inspection.states.epoch == k) * inspection.share
        total = float(here @ logits / here.sum()) - float(shutdown_logit(last.bias))
        assert sum(row["by epoch"][k] for row in rows) == pytest.approx(total, rel=1e-6)


def test_training_is_read_snapshot_by_snapshot(hand):
    inspection, _ = hand
    snapshots = {0: inspection.fresh(0), 100: inspection.networks}
    other = type(inspection)(
        inspection.world, inspection.networks, inspection.fresh, snapshots=snapshots
    )
    rows = training.training(other)["training"]
    assert [(row["steps"], row["layer"]) for row in rows] == [
        (steps, layer) for steps in (0, 100) for layer in ("policy.1", "policy.2")
    ]
    assert rows[3]["return"] > rows[1]["return"]
    assert rows[3]["erasing the index"] > 0.1
    assert not training.training(inspection)["training"]
    assert "no snapshots" in inspection.reasons["training"]
    assert set(activations(inspection.networks, inspection.observations)) == {
        "policy.1", "policy.2", "policy.out", "value.1", "value.2", "value.out"
    }  # fmt: skip
