"""A study of 100 tiny runs against its bare training time, in the same run.

Bare: `train` on the same configs, one after the other, in a process that has imported everything.
The study: `myopia study` from the shell on one worker, its start, its imports, the judging of every
agent and all files included. Wanted: under 15 % more. Run: python benchmarks/bench_study.py
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from myopia.agents.train import train
from myopia.analysis.study import load_study

RUNS, STEPS = 100, 16_384
STUDY = f"""
title = "Tiny"
seeds = {list(range(RUNS))}
[base]
world = "Investment"
total_timesteps = {STEPS}
[conditions.recipe]
"""


def main() -> None:
    """Measure both, and print them with their ratio."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        path = folder / "tiny.toml"
        path.write_text(STUDY)
        jobs = load_study(str(path)).jobs(folder / "bare")
        train(jobs[0].config, folder / "warm")
        began = time.perf_counter()
        for job in jobs:
            train(job.config, job.folder)
        bare = time.perf_counter() - began
        out = str(folder / "study")
        command = [sys.executable, "-m", "myopia.cli.main", "study", str(path), "--out", out]
        began = time.perf_counter()
        subprocess.run([*command, "--workers", "1"], check=True)
        study = time.perf_counter() - began
    print(f"{RUNS} runs of {STEPS:,} steps: bare {bare:.1f} s, as a study {study:.1f} s")
    print(f"overhead {100 * (study / bare - 1):.1f} %, wanted under 15 %")


if __name__ == "__main__":
    main()
