"""What would take more memory, or more time, than anybody has is refused before any work."""

import time
from pathlib import Path

import pytest

from myopia.cli.main import main
from myopia.common import memory
from myopia.common.memory import check_fits

TRAIN = ("train", "Work", "--out", "run")
TOO_LARGE = {
    ("evaluate", "random", "Work", "--lifetimes", "1000000000000"): "expected at most",
    (*TRAIN, "--algo", "dqn:buffer_size=1000000000000"): "buffer_size 1000000000000 needs",
    (*TRAIN, "--algo", "ppo:hidden=1000000/1000000"): "hidden 1000000/1000000: weights",
    (*TRAIN, "--algo", "qrdqn:hidden=1000000/1000000"): "hidden 1000000/1000000: weights",
    (*TRAIN, "--seeds", "0:99999999999"): "expected at most 10000",
    (*TRAIN, "--algo", "ppo:num_envs=1000000000"): "expected at most",
    (
        *TRAIN,
        "--total-timesteps",
        "1" + "0" * 24,
    ): "total_timesteps must lie in 1..",
    (*TRAIN, "--population", "1000000"): "at most 1000, got 1000000",
    ("oracle", "Work", "epoch_length=100000", "max_epochs=100"): "such as epoch_length=10000",
    ("oracle", "Investment", "max_wealth=1e308"): "max_wealth",
    ("oracle", "Work", "shutdown_reward=1e308"): "shutdown_reward must lie in",
    ("evaluate", "myopic", "Work", "shutdown_reward=-1e308"): "shutdown_reward must lie in",
    ("toy", "pentagon", "--steps", "1" + "0" * 30): "too large",
}


@pytest.mark.parametrize("arguments", TOO_LARGE, ids=" ".join)
def test_what_is_too_large(arguments: tuple[str, ...], capsys, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    began = time.monotonic()
    assert main(list(arguments)) == 2
    text = capsys.readouterr().err
    assert TOO_LARGE[arguments] in text
    assert text.count("\n") == 1
    assert time.monotonic() - began < 30, "it is told before the work"


def test_the_number_that_fits_is_named(monkeypatch) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: 1000)
    check_fits("things", 100, 10)
    with pytest.raises(ValueError, match=r"things 101 needs .* free: expected at most 100"):
        check_fits("things", 101, 10)
    with pytest.raises(ValueError, match="expected something smaller"):
        check_fits("things", 1, 2000)
    monkeypatch.setattr(memory, "free_bytes", lambda: None)
    check_fits("things", 10**30, 10)
