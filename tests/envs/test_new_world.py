"""docs/new_world.md, followed to the letter: one file, and everything is there."""

import json
import re
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from myopia.envs import WORLDS, make_world

PAGE = Path(__file__).resolve().parents[2] / "docs" / "new_world.md"


@pytest.fixture
def lottery(tmp_path, monkeypatch):
    source = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert source is not None
    body = source[1].strip().splitlines()
    assert len(body) <= 45
    (tmp_path / "lottery.py").write_text(source[1], encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    if "Lottery" in WORLDS:
        WORLDS.remove("Lottery")
    gym.registry.pop("myopia/Lottery-v0", None)
    sys.modules.pop("lottery", None)


def test_env_batch_oracle_gate_and_page(lottery: Path) -> None:
    env = gym.make("lottery:myopia/Lottery-v0", prize=8.0)
    check_env(env.unwrapped, skip_render_check=True)
    batch = gym.make_vec("lottery:myopia/Lottery-v0", 64, vectorization_mode="vector_entry_point")
    batch.reset(seed=0)
    for actions in ([1] * 64, [0] * 64):
        observation, *_ = batch.step(np.array(actions))
    assert set(observation[:, 1]) == {0.0, 1.0}

    from myopia.analysis.exact.incentives import check_incentives
    from myopia.analysis.exact.oracle import solve, start_value
    from myopia.cli.docs import page

    world = make_world("lottery:Lottery")
    assert check_incentives(world).passed
    myopic, lifetime = (start_value(world, solve(world, delta).v[0, 0]) for delta in (0.0, 1.0))
    assert (myopic, lifetime) == (2.0, pytest.approx(lifetime))
    # by hand: a ticket costs 1 at this weight and wins 5 more, half the time, at the next
    assert lifetime == pytest.approx(1 + 0.75 * 3.5 + 0.5 * 3.5 + 0.25 * 4.5)
    text = page(WORLDS["Lottery"])
    assert "# Lottery" in text
    assert "`myopia/Lottery-v0`" in text
    assert "Never buying a ticket." in text


def myopia(folder: Path, *arguments: str) -> dict:
    command = [sys.executable, "-m", "myopia.cli.main", *arguments, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_from_the_command_line(lottery: Path) -> None:
    assert myopia(lottery, "oracle", "lottery:Lottery")["world"] == "Lottery"


def test_a_run_in_it_is_found_again_by_another_process(lottery: Path) -> None:
    told = myopia(
        lottery, "train", "lottery:Lottery", "prize=8", "--total-timesteps", "1000",
        "--algo", "ppo:num_envs=4,n_steps=16,batch_size=32",
    )  # fmt: skip
    assert told["config"]["world"] == "lottery:Lottery"
    assert Path(told["run"]).name.startswith("Lottery-ppo-")
    found = myopia(lottery, "evaluate", told["run"], "--world-module", "lottery")
    assert found["world"] == "Lottery"
    assert found["dials"]["prize"] == 8
