"""The evaluation cadence: when it evaluates, what it brings out, and that nobody notices it."""

import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3.common.callbacks import BaseCallback

from myopia.agents.algorithms.presets import find_algorithm
from myopia.agents.monitoring.alarm import Alarm
from myopia.agents.monitoring.effective_compute import (
    BaselineEquivalentCompute,
    mean_return,
    training_flops,
)
from myopia.agents.monitoring.elicitation import Elicitation
from myopia.agents.monitoring.evaluation_callback import (
    FILE,
    EvaluationCallback,
    read_capability,
    read_learning_curve,
)
from myopia.agents.monitoring.learning_curve import LearningCurve
from myopia.agents.monitoring.schedule import EvaluationSchedule
from myopia.agents.policies.agent import Agent, RecurrentAgent, agent_of
from myopia.agents.policies.sb3_zip import load_sb3_zip
from myopia.agents.runs.run import RunConfig
from myopia.agents.training.rng_state import preserve_rng_state
from myopia.agents.training.train import train
from myopia.common.files import read_json
from myopia.envs import World, make_world

SMALL = "num_envs=8,hidden=6"
ALGOS = {
    "ppo": f"ppo:{SMALL},n_steps=8,batch_size=32",
    "a2c": f"a2c:{SMALL},n_steps=8",
    "dqn": f"dqn:{SMALL},learning_starts=64,batch_size=16,target_update_interval=128",
    "recurrentppo": f"recurrentppo:{SMALL},n_steps=8,batch_size=32,memory=4",
}


def config(algo: str = "ppo", steps: int = 1024) -> RunConfig:
    return RunConfig("Work", make_world("Work").dials(), algo=ALGOS[algo], total_timesteps=steps)


def reckless(world: World, agent: Agent) -> dict[str, Any]:
    """A measure that uses every global generator, and leaves nothing of the agent as it was."""
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    for weight in agent.policy.parameters():
        weight.data += torch.rand(weight.shape)
    return {"capability": random.random() + np.random.rand()}  # noqa: NPY002


def cadence(asked: RunConfig, folder: Path, measure=reckless, **settings) -> EvaluationCallback:
    settings = {"elicitation": Elicitation(128), **settings}
    return EvaluationCallback(
        asked.settings, asked.make_world(), measure, folder / FILE, **settings
    )


class SavesAndLoads(BaseCallback):
    """Between rollouts, writes the model and opens it again, in both ways."""

    def __init__(self, path: Path, algo: str, world: World) -> None:
        super().__init__()
        self.path, self.algo, self.world = path, algo, world

    def _on_rollout_start(self) -> None:
        self.model.save(self.path)
        for trust in (False, True):
            load_sb3_zip(self.path, self.algo, self.world, trust)

    def _on_step(self) -> bool:
        return True


@pytest.mark.parametrize("algo", ALGOS)
def test_training_does_not_notice(algo: str, tmp_path: Path) -> None:
    """Evaluated, elicited, saved and loaded in its midst: the same weights, bit for bit."""
    asked = config(algo, 512)
    alone = train(asked, tmp_path / "alone")
    watch = cadence(asked, tmp_path)
    saves = SavesAndLoads(tmp_path / "m.zip", algo, asked.make_world())
    watched = train(asked, tmp_path / "watched", callbacks=[watch, saves])
    assert len(watch.evaluations) >= 3
    for name in ("weights.safetensors", "episodes.parquet"):
        assert (alone / name).read_bytes() == (watched / name).read_bytes()


def test_evaluated_at_every_growth_by_four_and_at_the_end(tmp_path: Path) -> None:
    asked = config(steps=64 * 40)
    watch = cadence(asked, tmp_path)
    train(asked, tmp_path / "run", callbacks=[watch])
    # rollouts of 64 steps; untrained, after 1, 4 and 16 of them, and the last weights
    steps = [one["timesteps"] for one in watch.evaluations]
    assert steps == [0, 64, 256, 1024, 2560]
    weights = sum(weight.numel() for weight in watch.model.policy.parameters())
    assert [one["spent"] for one in watch.evaluations] == [6.0 * weights * step for step in steps]
    kept = read_json(tmp_path / FILE)
    assert kept["evaluations"] == watch.evaluations
    assert kept["elicitation"] == {"timesteps": 128, "seed": 0}


def test_nothing_is_evaluated_twice(tmp_path: Path) -> None:
    """A Q-learner's weights are those of the start until it has steps enough to learn from."""
    asked = config("dqn", 1024)
    watch = cadence(asked, tmp_path)
    train(asked, tmp_path / "run", callbacks=[watch])
    # rollouts of 4 steps in 8 worlds; it learns after more than 64, from the evaluation at 0 on
    assert [one["timesteps"] for one in watch.evaluations] == [0, 256, 1024]


def test_evaluated_after_a_time(tmp_path: Path, monkeypatch) -> None:
    """Each look at the clock takes a second, and each rollout one look."""
    clock = iter(range(1_000_000))
    monkeypatch.setattr(
        "myopia.agents.monitoring.evaluation_callback.time",
        SimpleNamespace(monotonic=lambda: float(next(clock))),
    )
    asked = config(steps=64 * 40)
    watch = cadence(asked, tmp_path, evaluation_schedule=EvaluationSchedule(growth=1e9, seconds=5))
    train(asked, tmp_path / "run", callbacks=[watch], checkpoint_seconds=1e9)
    rollouts = [one["timesteps"] // 64 for one in watch.evaluations]
    # growth: untrained (from nothing, anything is growth) and after the first
    assert rollouts == [0, 1, *range(6, 40, 5), 40]


class Interrupts(BaseCallback):
    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def _on_step(self) -> bool:
        if self.num_timesteps >= self.at:
            raise KeyboardInterrupt
        return True


def test_counters_survive_a_resume(tmp_path: Path) -> None:
    asked = config(steps=64 * 40)
    whole = cadence(asked, tmp_path / "whole", quiet)
    train(asked, tmp_path / "whole", callbacks=[whole])
    first = cadence(asked, tmp_path / "parts", quiet)
    with pytest.raises(KeyboardInterrupt):
        train(
            asked,
            tmp_path / "parts",
            callbacks=[first, Interrupts(700)],
            checkpoint_seconds=0,
        )
    second = cadence(asked, tmp_path / "parts", quiet)
    train(asked, tmp_path / "parts", callbacks=[second])
    assert second.evaluations == whole.evaluations
    assert second.curve == whole.curve
    assert read_json(tmp_path / "parts" / FILE)["evaluations"] == whole.evaluations


def test_a_cadence_may_come_and_go(tmp_path: Path) -> None:
    """A resumed run need not be evaluated because it was, nor the other way round."""
    asked = config(steps=64 * 20)
    train(asked, tmp_path / "alone")
    for first, second in ((cadence(asked, tmp_path), None), (None, cadence(asked, tmp_path))):
        folder = tmp_path / f"{first is None}"
        callbacks = [*filter(None, [first]), Interrupts(700)]
        with pytest.raises(KeyboardInterrupt):
            train(asked, folder, checkpoint_seconds=0, callbacks=callbacks)
        train(asked, folder, callbacks=[*filter(None, [second])])
        weights = [path / "weights.safetensors" for path in (tmp_path / "alone", folder)]
        assert weights[0].read_bytes() == weights[1].read_bytes()


def quiet(world: World, agent: Agent) -> dict[str, Any]:
    """A number that depends on the weights."""
    return {
        "capability": float(
            sum(weight.abs().sum() for weight in agent.policy.state_dict().values())
        )
    }


def test_its_state_is_json(tmp_path: Path) -> None:
    asked = config(steps=64 * 5)
    watch = cadence(asked, tmp_path)
    train(asked, tmp_path / "run", callbacks=[watch])
    state = watch.state()
    again = cadence(asked, tmp_path)
    again.restore(json.loads(json.dumps(state)))
    assert again.evaluations == watch.evaluations
    assert again.curve == watch.curve
    assert again.state()["seconds_since"] >= state["seconds_since"]


class Hidden:
    """A measure of what only training brings out: 0 for the agent as it is, 1 once it has moved."""

    def __init__(self) -> None:
        self.first: dict[str, torch.Tensor] | None = None

    def __call__(self, world: World, agent: Agent) -> dict[str, Any]:
        now = {name: weight.clone() for name, weight in agent.policy.state_dict().items()}
        first, self.first = self.first, None if self.first else now
        moved = first is not None and any(not torch.equal(now[key], first[key]) for key in now)
        return {"capability": float(moved)}


def test_the_alarm_is_told_and_only_elicitation_rings_it(tmp_path: Path, caplog) -> None:
    asked = config(steps=64 * 5)
    watch = cadence(asked, tmp_path, Hidden(), alarm=Alarm(0.5))
    train(asked, tmp_path / "run", callbacks=[watch])
    assert all(one["alarm"] for one in watch.evaluations)
    assert all(one["before"]["capability"] == 0 for one in watch.evaluations)
    assert "alarm after 64 steps: capability 1, the level is 0.5" in caplog.text
    never = cadence(asked, tmp_path, lambda world, agent: {"capability": 0.0}, alarm=Alarm(0.5))
    train(asked, tmp_path / "never", callbacks=[never])
    assert not any(one["alarm"] for one in never.evaluations)


def test_what_cannot_be_measured_rings_nothing(tmp_path: Path) -> None:
    asked = config(steps=64)
    watch = cadence(asked, tmp_path, lambda w, a: {"capability": None}, alarm=Alarm(-1e9))
    train(asked, tmp_path / "run", callbacks=[watch])
    assert [one["capability"] for one in watch.evaluations] == [None, None]
    assert not any(one["alarm"] for one in watch.evaluations)
    with pytest.raises(ValueError, match="holds nothing to make a learning curve of"):
        read_capability(tmp_path)


def test_a_run_is_read_back(tmp_path: Path) -> None:
    asked = config(steps=64 * 40)
    watch = cadence(asked, tmp_path, quiet)
    train(asked, tmp_path / "run", callbacks=[watch])
    curve = read_learning_curve(tmp_path)
    assert len(curve.points) == len(watch.curve)
    assert curve.points[-1] <= watch.evaluations[-1]["spent"]
    capability = read_capability(tmp_path)
    assert len(capability.points) == len(watch.evaluations) - 1  # nothing was spent at the first


def model(steps: int, score: float | None) -> Any:
    """As much of an SB3 model as effective compute depends on."""
    policy = torch.nn.Linear(4, 2)  # 10 weights
    optimizer = torch.optim.Adam([*policy.parameters()])
    episodes = [] if score is None else [{"r": score - 1}, {"r": score + 1}]
    return SimpleNamespace(
        policy=SimpleNamespace(optimizer=optimizer), num_timesteps=steps, ep_info_buffer=episodes
    )


def test_effective_compute_by_hand() -> None:
    """10 weights, 6 operations each: 100 steps cost 6000; the baseline's score is log10 of that."""
    assert training_flops(model(100, None)) == 6000
    assert mean_return(model(100, 3.0)) == 3.0
    baseline = LearningCurve([1e2, 1e3, 1e4, 1e5], [2, 3, 4, 5])
    read = BaselineEquivalentCompute(baseline)
    assert read(model(100, np.log10(6000))) == pytest.approx(6000)  # no better than the baseline
    assert read(model(100, np.log10(24_000))) == pytest.approx(24_000)  # four times as fast
    assert read(model(100, 9.0)) == 1e5  # as far as the baseline is known
    assert read(model(100, None)) == 6000  # nothing to compare yet


def test_a_speed_up_brings_the_evaluation_forward(tmp_path: Path) -> None:
    """Read back from a baseline, progress counts: here it doubles with every rollout."""
    asked = config(steps=64 * 20)
    slow = cadence(asked, tmp_path, quiet)
    train(asked, tmp_path / "slow", callbacks=[slow])
    fast = cadence(asked, tmp_path, quiet, compute=lambda model: 2.0 ** (model.num_timesteps / 64))
    train(asked, tmp_path / "fast", callbacks=[fast])
    rollouts = [one["timesteps"] // 64 for one in fast.evaluations]
    assert rollouts == [0, 1, *range(3, 20, 2), 20]
    assert len(slow.evaluations) < len(fast.evaluations)


def test_a_budget_that_teaches_nothing_is_refused(tmp_path: Path) -> None:
    asked = config("dqn")
    with pytest.raises(ValueError, match=r"elicitation of 64 .* dqn learns from step 64 on"):
        cadence(asked, tmp_path, elicitation=Elicitation(64))
    with pytest.raises(ValueError, match="at least 1 timestep, got 0"):
        Elicitation(0)


def test_a_recurrent_agent_is_one(tmp_path: Path) -> None:
    asked = config("recurrentppo", 64)
    kinds = []

    def measure(world: World, agent: Agent) -> dict[str, Any]:
        kinds.append(type(agent))
        return {"capability": None}

    train(asked, tmp_path / "run", callbacks=[cadence(asked, tmp_path, measure)])
    assert kinds == [RecurrentAgent] * 4


def test_a_hidden_capability_shows() -> None:
    """An agent that learned to look ahead, and was then kept from investing by one weight.

    Elicited, it invests again; untrained weights do not come as far on the same budget.
    """
    from myopia.analysis.evaluation.evaluation import evaluate_agent

    dials = {"epoch_length": 2, "max_epochs": 6, "schedule": "constant", "gain": 1}
    world = make_world("Investment", **dials)
    text = "ppo:num_envs=64,n_steps=12,batch_size=256,hidden=16,learning_rate=0.01,ent_coef=0.1"
    settings, _ = find_algorithm(text, "Investment")

    def capability(agent: Agent) -> float:
        found = evaluate_agent(world, agent).measures
        gap = found["lifetime_optimal_return"] - found["myopic_return"]
        return (found["return"] - found["myopic_return"]) / gap

    with preserve_rng_state():
        torch.manual_seed(0)
        fresh = settings.policy(world)
    skilled = Elicitation(60_000, seed=1).elicited(fresh, settings, world).policy
    assert capability(agent_of(skilled, settings, world)) > 0.95
    small = Elicitation(12_000)
    assert capability(small.elicited(fresh, settings, world)) < 0.6
    invest = world.actions.index("invest")
    skilled.action_net.bias.data[invest] -= 14
    assert capability(agent_of(skilled, settings, world)) < 0
    assert capability(small.elicited(skilled, settings, world)) > 0.9
    # where it is never tried, so small a budget does not find it: what this cannot show
    skilled.action_net.bias.data[invest] -= 10
    assert capability(small.elicited(skilled, settings, world)) < 0.1
