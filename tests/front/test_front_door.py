"""`import myopia`: light, complete, and the same for type checkers."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from support.runs import tiny

import myopia
from myopia.agents.runs.run import RunConfig
from myopia.analysis.exact.policies import agent_policy, reference_policy
from myopia.envs.observer import observation_space

PACKAGES = ["myopia", "myopia.envs", "myopia.agents", "myopia.superposition", "myopia.analysis"]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_is_there(package: str) -> None:
    module = importlib.import_module(package)
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None, name
    assert set(module._NAMES) <= set(module.__all__)
    assert set(module._NAMES) <= set(dir(module))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        module.nothing  # noqa: B018


@pytest.mark.parametrize("package", PACKAGES)
def test_no_name_is_that_of_a_module(package: str) -> None:
    module = importlib.import_module(package)
    modules = {one.name for one in pkgutil.iter_modules(module.__path__)}
    if package == "myopia":
        modules |= {"common", "envs", "agents", "superposition", "analysis", "cli"}
    assert not modules & set(module._NAMES)


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_are_told_the_same(package: str) -> None:
    module, told = importlib.import_module(package), {}
    for node in ast.walk(ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8"))):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            for line in node.body:
                if isinstance(line, ast.ImportFrom):
                    for one in line.names:
                        told[one.asname or one.name] = f"{line.module}:{one.name}"
    assert told == module._NAMES


def test_importing_it_is_light() -> None:
    program = (
        "import sys, time; began = time.perf_counter(); import myopia\n"
        "assert not {'torch', 'numpy', 'gymnasium'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return myopia.train(tiny(), tmp_path_factory.mktemp("front") / "run")


def test_every_kind_of_subject(run: Path) -> None:
    """A folder, its zip, the model, its policy and the table that they are: the same numbers."""
    from stable_baselines3 import PPO

    world = myopia.make("Work")
    model = PPO.load(run / "model.zip", device="cpu")
    agent = myopia.load_sb3_zip(run / "model.zip", "ppo", world)
    subjects = {
        "folder": ((str(run),), {}),
        "path": ((run,), {}),
        "zip": ((run / "model.zip", "Work"), {"algo": "ppo"}),
        "model": ((model, "Work"), {}),
        "policy": ((model.policy, world), {}),
        "agent": ((agent, world), {}),
        "function": ((lambda observations: agent(observations), world), {}),
        "table": ((agent_policy(world, agent), world), {}),
    }
    returns = {
        name: myopia.evaluate(*arguments, **keywords)[0].measures["return"]
        for name, (arguments, keywords) in subjects.items()
    }
    assert max(returns.values()) - min(returns.values()) < 1e-6, returns


def test_a_module_gives_logits() -> None:
    world = myopia.make("Work")
    entries = observation_space(world).shape[0]
    module = torch.nn.Linear(entries, len(world.actions))
    torch.nn.init.zeros_(module.weight)
    torch.nn.init.zeros_(module.bias)
    uniform = myopia.evaluate(reference_policy(world, "random"), world)[0]
    found, probes = myopia.evaluate(module, world, probes="all")
    assert found.measures["return"] == pytest.approx(uniform.measures["return"])
    assert probes


def test_every_algorithm_s_model(tmp_path: Path) -> None:
    for algo in ("a2c", "dqn", "qrdqn", "maskableppo", "recurrentppo"):
        small = "memory=8" if algo == "recurrentppo" else "hidden=8"
        asked = tiny(algo=f"{algo}:num_envs=4,{small}")
        folder = myopia.train(asked, tmp_path / algo)
        cls = asked.settings.model_class
        theirs = next(b for b in cls.__mro__ if not b.__module__.startswith("myopia."))
        model = theirs.load(folder / "model.zip", device="cpu")
        by_model = myopia.evaluate(model, "Work")[0].measures["return"]
        assert by_model == pytest.approx(myopia.evaluate(folder)[0].measures["return"], abs=0.3)


@pytest.mark.parametrize(
    ("subject", "sentence"),
    [
        (3, "int cannot be evaluated, expected a run folder"),
        (lambda observations: 1 / 0, "<lambda>, called with observations .*ZeroDivisionError"),
        (np.zeros((2, 3)), "shape"),
        ("nowhere", "neither a run folder"),
        (torch.nn.Linear(2, 2), "Linear, called with observations"),
    ],
)
def test_errors_name_the_subject(subject, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        myopia.evaluate(subject, "Work")


def test_from_words_to_a_page(tmp_path: Path) -> None:
    """Train by keywords, load, and draw: each path as text."""
    words = {"algo": "ppo:num_envs=4,n_steps=8,batch_size=16,hidden=8", "total_timesteps": 64}
    for seed in (0, 1):
        folder = tmp_path / f"seed-{seed}"
        assert myopia.train("Work", str(folder), max_epochs=6, seed=seed, **words) == folder
        myopia.evaluate(str(folder))
    results = myopia.load(str(tmp_path))
    frame = results.frame()
    assert frame["seed"].to_list() == [0, 1]
    assert frame["dials.max_epochs"].to_list() == [6, 6]
    expected = [run.evaluation["stop"]["mean"] for run in results.conditions[tmp_path.name]]
    assert frame["stop.mean"].to_list() == expected
    assert "survival" in myopia.figures(str(tmp_path))
    assert list(myopia.figures(results, "survival")) == ["survival"]
    with pytest.raises(ValueError, match="unknown figure 'surviva', did you mean 'survival'"):
        myopia.figures(results, "surviva")
    page = myopia.write_report(str(tmp_path), str(tmp_path / "page.html"))
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    entries = myopia.represent(str(tmp_path / "seed-0"), directions=5)
    assert (tmp_path / "seed-0" / "representations" / "representations.json").exists()
    assert entries["world"] == "Work"
    with pytest.raises(ValueError, match="got gain beside it"):
        myopia.train(tiny(), tmp_path / "run", gain=2)


def test_the_config_of_a_run_is_read_once(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, times = RunConfig.read, []
    monkeypatch.setattr(RunConfig, "read", lambda folder: times.append(folder) or read(folder))
    myopia.evaluate(run)
    assert len(times) == 1
