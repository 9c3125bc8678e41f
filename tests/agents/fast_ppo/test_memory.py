"""Too many envs are refused in one sentence, before anything is allocated."""

import subprocess
import sys

import pytest
import torch

from myopia.agents.fast_ppo import memory
from myopia.agents.fast_ppo.parallel import learn_in_parallel
from myopia.agents.fast_ppo.ppo import FastPPO
from myopia.envs import make_sb3


def model(envs: int) -> FastPPO:
    env = make_sb3("Investment", envs, seed=0)
    return FastPPO("MlpPolicy", env, n_steps=16, batch_size=64, n_epochs=1, device="cpu")


def test_the_largest_number_that_fits_is_named_and_fits(monkeypatch) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda device: 1_000_000)
    said = (
        r"200 envs need 0\.0 GB .* 16 steps, and cpu has 0\.0 GB free: expected at most (\d+) envs"
    )
    with pytest.raises(ValueError, match=said) as caught:
        model(200).learn(1)
    most = int(str(caught.value).split()[-2])
    assert 20 < most < 200
    model(most).learn(1)
    with pytest.raises(ValueError, match=f"at most {most} envs"):
        model(most + 1).learn(1)
    with pytest.raises(ValueError, match=r"3 models of \d+ envs need"):
        learn_in_parallel([model(most) for _ in range(3)], 1)


def test_what_is_free_is_known_here() -> None:
    assert (memory.free_bytes(torch.device("cpu")) or 1e9) > 1e8


@pytest.mark.slow
def test_the_estimate_bounds_what_a_rollout_takes() -> None:
    # the high-water mark of this program's own memory: getrusage's begins, after a spawn, at the
    # parent's, which may lie above all that is measured here
    script = """
import re
from pathlib import Path
from myopia.agents.fast_ppo.ppo import FastPPO
from myopia.envs import make_sb3

def learn(envs):
    env = make_sb3("Investment", envs, seed=0)
    model = FastPPO("MlpPolicy", env, n_steps=32, batch_size=2048, n_epochs=4, device="cpu")
    model.learn(2 * envs * 32)
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) * 1024

before = learn(16)
print((learn(16384) - before) / (16384 * 32))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=300
    )
    assert memory.SAMPLE / 2 < float(done.stdout.splitlines()[-1]) <= memory.SAMPLE
