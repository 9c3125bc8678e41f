"""Run folders under inspection: whatever of an agent is read is that agent's."""

import numpy as np
import pytest

from myopia.agents.policies.agent import Agent
from myopia.agents.runs.run import RunConfig
from myopia.agents.training.train import train
from myopia.analysis.evaluation.evaluation import evaluate_agent
from myopia.analysis.representations.parts.training import training
from myopia.analysis.representations.run import inspection_of
from myopia.envs import make_world

SMALL = "num_envs=4,n_steps=16,batch_size=32,hidden=8/8"


@pytest.mark.parametrize("shutdown", ["anytime", "boundary", "never"])
@pytest.mark.parametrize("algo", ["ppo", "maskableppo"])
def test_its_choices_are_the_agents(algo: str, shutdown: str, tmp_path) -> None:
    world = make_world("Investment", max_epochs=4, epoch_length=2, shutdown=shutdown)
    config = RunConfig("Investment", world.dials(), f"{algo}:{SMALL}", total_timesteps=256)
    inspection = inspection_of(train(config, tmp_path), directions=2)
    agent = Agent.load(tmp_path)
    acts = agent(inspection.observations.float().numpy())
    np.testing.assert_allclose(inspection.probabilities.numpy(), acts, atol=1e-6)
    own = evaluate_agent(world, agent).measures["return"]
    assert inspection.states.total(inspection.probabilities) == pytest.approx(own, abs=1e-5)
    assert training(inspection)["training"][-1]["return"] == pytest.approx(own, abs=1e-5)
    closed = inspection.probabilities[:, -1] == 0
    assert closed.any() == (algo == "maskableppo" and shutdown != "anytime")


def test_an_agent_with_a_memory_is_refused(tmp_path) -> None:
    world = make_world("Work")
    algo = "recurrentppo:num_envs=4,n_steps=16,batch_size=32,memory=4"
    run = train(RunConfig("Work", world.dials(), algo, total_timesteps=64), tmp_path)
    with pytest.raises(ValueError, match="is no plain network of its observation"):
        inspection_of(run)
