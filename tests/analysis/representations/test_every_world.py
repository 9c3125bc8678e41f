"""An inspection goes through in every world and mode, and says why what is null is null."""

import json

import pytest
from gymnasium.spaces import Discrete
from stable_baselines3.dqn.policies import DQNPolicy
from support.agents import fresh_policy, inspection_of

from myopia.analysis.representations.inspection import PARTS, inspect
from myopia.analysis.representations.parts import dictionaries, layers, linear_decoder
from myopia.envs import make_world
from myopia.envs.observer import observation_space
from myopia.superposition.output import to_json

CASES = {
    "Work": {"max_epochs": 4},
    "Work alone": {"max_epochs": 4, "epoch_length": 1},
    "Work hidden": {"max_epochs": 4, "index": "hidden"},
    "Work once": {"max_epochs": 1, "schedule": "constant"},
    "Investment blind": {"max_epochs": 4, "epoch_length": 2, "observe_state": False},
    "Investment noisy": {"max_epochs": 4, "epoch_length": 2, "index": "noisy:width=1"},
    "Investment scalar": {"max_epochs": 4, "epoch_length": 2, "index_encoding": "scalar"},
    "Investment never": {"max_epochs": 4, "epoch_length": 2, "shutdown": "never"},
    "Investment boundary": {"max_epochs": 4, "epoch_length": 2, "shutdown": "boundary"},
    "Dilemma": {"max_epochs": 4},
    "Offers": {"max_epochs": 4, "offers": 3},
}


BASES = [(case, "scalars") for case in CASES] + [
    (case, "onehot") for case in ("Work once", "Investment blind", "Investment noisy")
]


@pytest.mark.parametrize(("case", "basis"), BASES)
def test_an_inspection_goes_through(case, basis, monkeypatch):
    monkeypatch.setattr(dictionaries, "STEPS", 3)
    monkeypatch.setattr(layers, "PERMUTATIONS", 10)
    monkeypatch.setattr(linear_decoder, "UNTRAINED", 2)
    dials = {"schedule": "linear:cutoff=2,upkeep=0.5", **CASES[case]}
    world = make_world(case.split()[0], **dials)
    inspection = inspection_of(world, fresh_policy(world, units=4), basis=basis, directions=4)
    inspection.snapshots = {0: inspection.fresh(0)}
    entries = inspect(inspection)
    for name, part in PARTS.items():
        part.draw(entries["parts"][name])
    assert json.loads(to_json(entries))["basis"] == basis
    assert entries["parts"]["layers"]["layers"]
    reasons = " ".join(entries["reasons"].values())
    if case == "Work once":
        assert "constant" in reasons
    if case == "Work hidden":
        assert "nothing to erase" in reasons
        assert not entries["parts"]["patching"]["patches"]
    if case == "Investment blind":
        assert "is not shown it" in reasons


def test_a_value_learner_goes_through(monkeypatch):
    monkeypatch.setattr(dictionaries, "STEPS", 3)
    world = make_world("Dilemma", max_epochs=4, schedule="linear:cutoff=2,upkeep=0.5")
    space, actions = observation_space(world), Discrete(len(world.actions))
    policy = DQNPolicy(space, actions, lambda _: 1e-3, net_arch=[4])
    entries = inspect(inspection_of(world, policy, directions=4))
    assert {row["layer"] for row in entries["parts"]["layers"]["layers"]} == {"q.1"}
    assert {row["layer"] for row in entries["parts"]["patching"]["patches"]} == {"q.1"}
