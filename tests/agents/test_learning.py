"""The learning gate, one seed of it; `benchmarks/learning_gate.py` has the whole."""

from pathlib import Path

import pytest

from myopia.agents.policies.agent import Agent
from myopia.agents.runs.run import RunConfig
from myopia.agents.training.train import train
from myopia.analysis.evaluation.training_check import passes, score
from myopia.envs import make_world


def judged(world: str, folder: Path, algo: str = "ppo", credit: str = "lifetime", **settings):
    asked = RunConfig(world, make_world(world).dials(), algo, credit, **settings)
    return score(asked.make_world(), Agent.load(train(asked, folder)), credit)


@pytest.mark.parametrize("credit", ["lifetime", "epoch"])
def test_ppo_solves_the_world(world_name: str, credit: str, tmp_path: Path) -> None:
    found = judged(world_name, tmp_path, credit=credit)
    assert passes(found, "ppo"), found


def test_an_untrained_agent_does_not_pass(tmp_path: Path) -> None:
    for credit in ("lifetime", "epoch"):
        found = judged("Investment", tmp_path / credit, credit=credit, total_timesteps=10_240)
        assert not passes(found, "ppo"), found


def test_a_lifetime_learner_is_no_epoch_learner(tmp_path: Path) -> None:
    """What passes under one credit mode fails under the other: the gate tells them apart."""
    asked = RunConfig("Investment", make_world("Investment").dials())
    agent = Agent.load(train(asked, tmp_path))
    assert not passes(score(asked.make_world(), agent, "epoch"), "ppo")


@pytest.mark.parametrize("credit", ["lifetime", "epoch"])
def test_an_agent_with_a_memory_is_scored_by_sampling(credit: str, tmp_path: Path) -> None:
    small = "recurrentppo:num_envs=4,n_steps=16,batch_size=32,memory=4"
    found = judged("Work", tmp_path, small, credit, total_timesteps=64)
    assert 0 < found["share"] < 0.9
    assert not passes(found, "recurrentppo")


@pytest.mark.slow
@pytest.mark.parametrize("algo", ["a2c", "dqn", "qrdqn", "recurrentppo", "maskableppo"])
def test_the_other_algorithms_learn_investment(algo: str, tmp_path: Path) -> None:
    found = judged("Investment", tmp_path, algo)
    assert passes(found, algo), found
