"""Readings of agents: against SB3, against the exact evaluation, and what must not move them."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from gymnasium.spaces import Discrete
from sb3_contrib.ppo_recurrent.policies import RecurrentActorCriticPolicy
from sb3_contrib.qrdqn.policies import QRDQNPolicy
from stable_baselines3.dqn.policies import DQNPolicy
from support.agents import agent_of, fresh_policy, inspection_of
from torch import nn

from myopia.analysis.evaluation.evaluation import evaluate_agent
from myopia.analysis.exact.policies import agent_policy
from myopia.analysis.representations.features import features_of
from myopia.analysis.representations.inspection import PARTS, Inspection, inspect
from myopia.analysis.representations.parts import dictionaries, layers, linear_decoder
from myopia.analysis.representations.policy_networks import (
    activations,
    policy_networks_of,
    untrained,
)
from myopia.analysis.representations.run import similarity, similarity_figure
from myopia.analysis.representations.states import states_of
from myopia.envs import World, make_world
from myopia.envs.observer import observation_space
from myopia.envs.worlds.investment import Investment
from myopia.superposition.audit import TRANSFORMATIONS
from myopia.superposition.metrics import functional_dimensionality
from myopia.superposition.readout import decoded_map

SMALL = {"max_epochs": 5, "epoch_length": 2, "schedule": "linear:cutoff=3,upkeep=0.5"}


def small(name="Investment", **dials):
    return make_world(name, **{**SMALL, **dials})


@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU])
def test_the_cache_is_what_sb3_computes(activation):
    world = small()
    policy = fresh_policy(world, activation)
    seen, cache = torch.from_numpy(states_of(world).observations), {}
    for tower, modules in (("policy", policy.mlp_extractor.policy_net),
                           ("value", policy.mlp_extractor.value_net)):  # fmt: skip
        for number in (1, 2):
            modules[2 * number - 1].register_forward_hook(
                lambda _, __, out, name=f"{tower}.{number}": cache.update({name: out.detach()})
            )
    probabilities = agent_of(policy, world)(seen.float().numpy())
    policy.predict_values(seen.float())
    ours = activations(policy_networks_of(policy), seen)
    for name, hidden in cache.items():
        assert torch.allclose(ours[name].float(), hidden, atol=1e-5)
    assert np.allclose(policy_networks_of(policy)(seen).numpy(), probabilities, atol=1e-6)


@pytest.mark.parametrize(("kind", "net"), [(DQNPolicy, "q_net"), (QRDQNPolicy, "quantile_net")])
def test_value_learners_choose_greedily(kind, net):
    world = small()
    space = observation_space(world)
    policy = kind(space, Discrete(len(world.actions)), lambda _: 1e-3, net_arch=[8])
    seen = torch.from_numpy(states_of(world).observations)
    values = getattr(policy, net)(seen.float()).detach().double()
    values = values.mean(1) if values.ndim == 3 else values
    networks = policy_networks_of(policy)
    assert torch.allclose(networks.actor(seen), values, atol=1e-5)
    assert torch.equal(networks(seen).argmax(1), values.argmax(1))
    assert torch.equal(networks(seen).sum(1), torch.ones(len(seen)).double())
    assert not torch.equal(untrained(policy, 1)(seen), untrained(policy, 2)(seen))


def test_a_memory_is_refused():
    world = small()
    policy = RecurrentActorCriticPolicy(
        observation_space(world), Discrete(len(world.actions)), lambda _: 1e-3
    )
    with pytest.raises(ValueError, match="RecurrentActorCriticPolicy is no plain network"):
        policy_networks_of(policy)


def test_fresh_towers_leave_the_global_generator_alone():
    policy = fresh_policy(small())
    before = torch.get_rng_state()
    one, two = untrained(policy, 3), untrained(policy, 3)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one.actor.layers[0].weight, two.actor.layers[0].weight)


@pytest.mark.parametrize(
    "dials",
    [{}, {"index": "noisy:width=1"}, {"shutdown": "boundary"}, {"index_encoding": "scalar"},
     {"channel": "severed", "index": "offset:by=1"}],
)  # fmt: skip
def test_states_agree_with_the_exact_evaluation(dials):
    world = small(**dials)
    agent = agent_of(fresh_policy(world, seed=3), world)
    states = states_of(world)
    probabilities = torch.from_numpy(agent(states.observations.astype(np.float32)))
    table = agent_policy(world, agent)
    entries = evaluate_agent(world, agent).json()
    assert states.total(probabilities) == pytest.approx(entries["return"])
    assert np.allclose(states.stop(probabilities), entries["stop"]["distribution"])
    ours = states.policy(probabilities).reshape(-1, table.shape[-1])[states.cells]
    assert np.allclose(ours, table.reshape(-1, table.shape[-1])[states.cells])
    # alive to the last epoch, each of them is met equally often
    mass = [float(states.reference[states.epoch == k].sum()) for k in range(world.max_epochs)]
    assert np.allclose(mass, 1 / world.max_epochs)


def test_an_index_really_changed_is_the_one_that_is_displayed():
    world = small()
    states = states_of(world)
    moved, observations = states.change("index", 2)
    assert (moved == np.minimum(states.epoch + 2, 4)).all()
    for k in range(5):
        shown = states.show("index", np.full(len(states), k))
        assert (observations[moved == k] == shown[moved == k]).all()
    moved, observations = states.change("wealth", -1)
    assert (np.delete(observations, 0, axis=1) == np.delete(states.observations, 0, axis=1)).all()
    assert (observations[:, 0] == moved).all()
    assert (moved <= states.variables["wealth"]).all()


def test_work_with_the_index_hidden_has_nothing_to_read():
    world = make_world("Work", index="hidden")
    for seed in range(3):
        inspection = inspection_of(world, fresh_policy(world, seed=seed, units=64))
        rows = [
            r
            for r in linear_decoder.linear_decoder(inspection)["linear_decoder"]
            if r["target"] == "index"
        ]
        assert len(rows) == 4
        for row in rows:
            assert row["R2"] <= 0.02
            assert row["best predictor"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", ["Investment", "Offers", "Dilemma"])
@pytest.mark.parametrize("index", ["exact", "hidden", "noisy:width=2"])
@pytest.mark.parametrize("distribution", ["reference", "visited"])
def test_no_probe_beats_the_best_predictor(name, index, distribution):
    own = {"offers": 5} if name == "Offers" else {}
    world = make_world(name, index=index, max_epochs=6, **own)
    policy = fresh_policy(world, nn.ReLU, seed=1, units=32)
    inspection = inspection_of(world, policy, distribution=distribution)
    rows = linear_decoder.linear_decoder(inspection)["linear_decoder"]
    assert rows
    for row in rows:
        for reading in ("R2", "untrained high", "observation", "shuffled"):
            assert row[reading] <= row["best predictor"] + 0.02, (row, reading)


def functional(inspection, hidden):
    M = decoded_map(inspection.features.values, hidden, inspection.share)
    return functional_dimensionality(M)


@pytest.mark.parametrize("distribution", ["reference", "visited"])
def test_functional_dimensionality_keeps_where_the_layer_says_the_same(distribution):
    world = small()
    # narrower than the features are many, so that it is below 1 and could move
    policy = fresh_policy(world, units=3)
    inspection = inspection_of(world, policy, distribution=distribution)
    draw = torch.Generator().manual_seed(0)
    for layer in ("policy.1", "policy.2"):
        hidden = inspection.cache[layer]
        before = functional(inspection, hidden)
        assert before.min() < 0.9
        for _ in range(5):
            mixing = torch.randn(3, 3, generator=draw).double()
            shift = torch.randn(3, generator=draw).double()
            assert torch.allclose(functional(inspection, hidden @ mixing + shift), before)
        dead = torch.cat([hidden, hidden[:, :1] * 0.3, torch.ones(len(hidden), 2).double()], 1)
        assert torch.allclose(functional(inspection, dead), before)


@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU])
def test_functional_dimensionality_keeps_under_what_keeps_the_function(activation):
    world = small()
    inspection = inspection_of(world, fresh_policy(world, activation, units=3))
    network, before = (
        inspection.networks.actor,
        functional(inspection, inspection.cache["policy.1"]),
    )
    tried = []
    for number, change in enumerate(TRANSFORMATIONS):
        if change.kind != "function" or not change.admits(network) or "silent" in change.name:
            continue
        draw = torch.Generator().manual_seed(number)
        changed, seen = change.apply(network, inspection.observations, draw)
        after = functional(inspection, changed.activations(seen, 0))
        assert torch.allclose(after, before, atol=1e-8), change.name
        tried.append(change.name)
    assert len(tried) >= 3


@dataclass(frozen=True)
class Cents(Investment):
    """Investment with the wealth counted in another unit."""

    def observe(self, state):
        wealth, pending = super().observe(state)
        return 64 * wealth, pending


@pytest.mark.parametrize("basis", ["scalars", "onehot"])
def test_no_metric_knows_the_unit_of_a_feature(basis, monkeypatch):
    monkeypatch.setattr(dictionaries, "STEPS", 20)
    plain, cents = small(), World.of(Cents, **SMALL)
    policy = fresh_policy(plain, nn.ReLU, units=6)
    other = fresh_policy(cents, nn.ReLU, units=6)
    other.load_state_dict(policy.state_dict())
    with torch.no_grad():
        for tower in (other.mlp_extractor.policy_net, other.mlp_extractor.value_net):
            tower[0].weight[:, 0] /= 64
    one, two = (
        inspection_of(world, own, basis=basis, directions=20)
        for world, own in ((plain, policy), (cents, other))
    )
    two.fresh = lambda seed: _in_cents(one.fresh(seed), untrained(other, seed))
    for part in PARTS.values():
        for rows, twins in zip(part.run(one).values(), part.run(two).values(), strict=True):
            assert len(rows) == len(twins)
            for row, twin in zip(rows, twins, strict=True):
                for key in row:
                    if (part.name, key) not in SEES_UNITS:
                        assert same(row[key], twin[key]), (part.name, key, row, twin)


SEES_UNITS = {
    ("probes", "observation"),  # the raw observation is the control that is allowed to
}


def same(one, other):
    if isinstance(one, list):
        return all(map(same, one, other))
    if isinstance(one, float):
        return one == pytest.approx(other, rel=1e-4, abs=1e-6)
    # contrasts are named after the values, which are in cents
    return one == other or (isinstance(one, str) and one.startswith("wealth="))


def _in_cents(networks, fresh):
    """The same untrained towers with the input in cents."""
    for name, network in fresh.networks.items():
        first = network.layers[0].weight
        first.copy_(networks.networks[name].layers[0].weight)
        first[:, 0] /= 64
    return fresh


def test_collinear_and_constant_columns_are_named_and_null():
    world = small(gain=0.0)  # the wealth never changes
    inspection = inspection_of(world, fresh_policy(world))
    assert inspection.features.constant == ["wealth", "pending"]
    states, share = inspection.states, inspection.share
    states_twice = type(states)(world)
    states_twice.variables["twice the step"] = 2 * states.variables["step"]
    features = features_of(states_twice, share)
    assert set(features.collinear) == {"step", "twice the step"}
    inspection.states = states_twice
    inspection.__dict__.pop("features")
    tables = layers.layers(inspection)
    assert tables["features"] == []
    assert all(row["dimensions per feature"] is None for row in tables["layers"])
    assert all(row["effective rank"] > 0 for row in tables["layers"])
    entries = inspect(inspection)
    assert entries["parts"]["steering"] == {"steering": [], "effects": []}
    assert "twice the step" in entries["reasons"]["features.step"]
    assert "constant" in entries["reasons"]["features.wealth"]


def test_represented_means_more_than_permuted_labels():
    draw = torch.Generator().manual_seed(0)
    F = torch.randn(300, 2, generator=draw).double()
    H = torch.randn(300, 10, generator=draw).double()
    H[:, 3] += F[:, 0]
    share = torch.full((300,), 1 / 300, dtype=torch.float64)
    explained, chance = layers.represented(F, H, share, draw)
    assert explained[0] > 2 * chance[0]
    assert explained[1] < 2 * chance[1]
    assert explained[0] == pytest.approx(float(H[:, 3].var() / H.var(0).sum() / 2), rel=0.2)


def test_too_few_states_for_a_dictionary_are_a_reason():
    world = make_world("Work")
    inspection = inspection_of(world, fresh_policy(world, units=64))
    assert dictionaries.dictionaries(inspection) == {"dictionaries": []}
    assert (
        "48 distinct states are too few for 64 latents"
        in (inspection.reasons["dictionaries.policy.1"])
    )


def test_dictionaries_beside_their_rivals(monkeypatch, tmp_path):
    monkeypatch.setattr(dictionaries, "STEPS", 60)
    world = small()
    inspection = inspection_of(world, fresh_policy(world, units=6), folder=tmp_path)
    rows = dictionaries.dictionaries(inspection)["dictionaries"]
    kinds = {row["dictionary"]: row for row in rows if row["layer"] == "policy.1"}
    assert list(kinds) == ["top-k autoencoder", "principal components", "neurons", "random"]
    assert kinds["principal components"]["explained"] > kinds["neurons"]["explained"]
    assert (tmp_path / "dictionaries/policy.1/seed-4/sae_weights.safetensors").exists()


def test_similarity_of_seeds():
    world = small()
    agents = {f"seed {s}": inspection_of(world, fresh_policy(world, seed=s)) for s in (0, 1, 0)}
    agents["seed 0 again"] = inspection_of(world, fresh_policy(world, seed=0))
    tables = similarity(agents)
    rows = {(r["layer"], r["one"], r["other"]): r for r in tables["similarity"]}
    assert len(rows) == 4 * 3
    same = rows["policy.2", "seed 0", "seed 0 again"]
    assert same["CKA"] == pytest.approx(1)
    assert same["Procrustes"] == pytest.approx(0, abs=1e-9)
    assert rows["policy.2", "seed 0", "seed 1"]["CKA"] < 0.999
    assert len(similarity_figure(tables).axes) == 5
    agents["another"] = inspection_of(make_world("Work"), fresh_policy(make_world("Work")))
    with pytest.raises(ValueError, match="only agents of one world can be compared"):
        similarity(agents)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [({"basis": "onehots"}, "did you mean 'onehot'"),
     ({"distribution": "visit"}, "did you mean 'visited'"),
     ({"directions": 0}, "directions must be at least 1")],
)  # fmt: skip
def test_bad_settings(settings, sentence):
    world = small()
    with pytest.raises(ValueError, match=sentence):
        Inspection(world, policy_networks_of(fresh_policy(world)), lambda seed: None, **settings)
