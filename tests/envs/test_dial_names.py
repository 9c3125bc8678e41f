"""Dials may be called what they like, but for the words that stand for something else."""

import dataclasses
import inspect
from dataclasses import dataclass

import gymnasium as gym
import pytest

from myopia.agents.runs.run import RunConfig
from myopia.analysis.studies.study import load_study
from myopia.cli.main import main
from myopia.envs import WORLDS, make_sb3, make_world, register
from myopia.envs.env import EpochEnv
from myopia.envs.tensor import TensorBatch
from myopia.envs.vector import EpochVectorEnv
from myopia.envs.world import RESERVED
from myopia.envs.worlds.work import Work


@pytest.fixture
def named():
    """A world whose dials have the names of common parameters."""

    @register
    @dataclass(frozen=True)
    class Named(Work):
        __module__, __qualname__ = "myopia.envs.worlds.named", "Named"  # found by its short name
        name: int = 1
        task: str = "a"
        module: float = 0.5
        options: int = 0
        größe: int = 1

    yield Named
    WORLDS.remove("Named")
    gym.registry.pop("myopia/Named-v0")


DIALS = {"name": 3, "task": "b", "module": 0.25, "options": 2, "größe": 4}


def test_dials_with_the_names_of_parameters(named, tmp_path) -> None:
    assert make_world("Named", **DIALS).task == named(**DIALS)
    env = gym.make("myopia/Named-v0", disable_env_checker=True, **DIALS)
    assert env.unwrapped.world.task == named(**DIALS)
    batch = gym.make_vec("myopia/Named-v0", 2, vectorization_mode="vector_entry_point", **DIALS)
    assert batch.unwrapped.world.task == named(**DIALS)
    assert make_sb3("Named", 2, **DIALS).world.task == named(**DIALS)
    assert TensorBatch("Named", 2, **DIALS).world.task == named(**DIALS)
    assert make_world("Named").replace(name=5).task == named(name=5)
    assert main(["oracle", "Named", "name=3", "task=b", "größe=3"]) == 0
    study = tmp_path / "study.toml"
    study.write_text(
        'title="t"\nseeds=[0]\n[base]\nworld="Named"\nname=3\n[conditions.r]\ntask="b"\n'
    )
    (job,) = load_study(str(study)).jobs(tmp_path / "out")
    assert job.config.make_world().task == named(name=3, task="b")


@pytest.mark.parametrize("word", sorted({*RESERVED, "schedule", "channel"}))
def test_words_that_stand_for_something_else(word: str) -> None:
    kind = dataclasses.make_dataclass("Taken", [(word, int, 1)], bases=(Work,), frozen=True)
    with pytest.raises(ValueError, match=f"dial '{word}' is a word of the engine's"):
        register(kind)
    assert "Taken" not in WORLDS


def test_every_word_is_reserved_that_takes_a_dial_s_place() -> None:
    functions = (gym.make, gym.make_vec, EpochEnv, EpochVectorEnv, make_sb3, TensorBatch)
    words = {
        name
        for function in functions
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    words |= {field.name for field in dataclasses.fields(RunConfig)}
    assert words - {"seed"} <= RESERVED
