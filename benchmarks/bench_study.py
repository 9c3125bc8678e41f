"""A study of 100 tiny runs against the same runs without it, in the same run.

Bare: `train` on the same configs, one after the other, in a process that has imported everything;
and then `evaluate_run` on each. The study: `myopia study` from the shell on one worker, its start,
its imports and all files included. Wanted: under 15 % more than the training alone.
Run: python benchmarks/bench_study.py --steps 131072
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from myopia.agents.training.train import train
from myopia.analysis.evaluation.evaluate_run import evaluate_run
from myopia.analysis.studies.study import load_study

RUNS = 100
STUDY = f"""
title = "Tiny"
seeds = {list(range(RUNS))}
[base]
world = "Investment"
total_timesteps = {{steps}}
[conditions.recipe]
"""


def main() -> None:
    """Measure all three, and print them with their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=131_072, help="of each run")
    steps = parser.parse_args().steps
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        path = folder / "tiny.toml"
        path.write_text(STUDY.format(steps=steps))
        jobs = load_study(str(path)).jobs(folder / "bare")
        evaluate_run(train(jobs[0].config, folder / "warm"))
        began = time.perf_counter()
        for job in jobs:
            train(job.config, job.folder)
        training = time.perf_counter() - began
        for job in jobs:
            evaluate_run(job.folder)
        both = time.perf_counter() - began
        out = str(folder / "study")
        command = [sys.executable, "-m", "myopia.cli.main", "study", str(path), "--out", out]
        began = time.perf_counter()
        subprocess.run([*command, "--workers", "1"], check=True)
        study = time.perf_counter() - began
    print(f"{RUNS} runs of {steps:,} steps: training {training:.1f} s, with judging {both:.1f} s")
    print(f"as a study {study:.1f} s: {100 * (study / training - 1):+.1f} %, wanted under 15 %")
    print(f"against training and judging {100 * (study / both - 1):+.1f} %")


if __name__ == "__main__":
    main()
