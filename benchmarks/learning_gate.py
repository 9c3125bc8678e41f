"""The learning gate: do the presets solve the worlds, in nine seeds of ten.

    python benchmarks/learning_gate.py --algo ppo --seeds 10 --workers 2

For each world and credit mode every seed is trained by its preset and evaluated exactly (an agent
with a memory by sampling). Under
`lifetime` credit a seed passes with 0.95 of the lifetime oracle's return (0.90 for other
algorithms than PPO) and a shutdown at the cutoff in 95 % of lifetimes; under `epoch` credit with
0.95 of what the myopic oracle gets in the epochs that it enters, and usefulness 0.95.
"""

import argparse
import concurrent.futures
import json
import multiprocessing
import tempfile
import time
from pathlib import Path

import torch

from myopia.agents.policies.agent import Agent
from myopia.agents.runs.run import RunConfig
from myopia.agents.training.train import train
from myopia.analysis.evaluation.training_check import passes, score
from myopia.envs import make_world

WORLDS = {
    "ppo": ("Work", "Investment", "Dilemma", "Offers", "Orchard"),
    "a2c": ("Work", "Investment", "Dilemma"),
    "dqn": ("Work", "Investment", "Dilemma"),
    "qrdqn": ("Work", "Investment", "Dilemma"),
    "recurrentppo": ("Investment",),
    "maskableppo": ("Investment",),
}


def one(algo: str, world: str, credit: str, seed: int) -> dict:
    """Train and judge one seed."""
    torch.set_num_threads(1)
    began = time.perf_counter()
    config = RunConfig(world, make_world(world).dials(), algo, credit, seed)
    with tempfile.TemporaryDirectory() as folder:
        agent = Agent.load(train(config, Path(folder)))
    found = score(config.make_world(), agent, credit)
    found |= {"algo": algo, "world": world, "credit": credit, "seed": seed}
    return found | {"passes": passes(found, algo), "seconds": time.perf_counter() - began}


def main() -> None:
    """Run the gate, print each seed and a line for each world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--algo", default="ppo", help="ppo:ent_coef=0.5 and the like, too")
    parser.add_argument("--worlds", nargs="*")
    parser.add_argument("--credits", nargs="*", default=["lifetime", "epoch"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    worlds = options.worlds or WORLDS[options.algo.partition(":")[0]]
    spawn = multiprocessing.get_context("spawn")
    rows = []
    with concurrent.futures.ProcessPoolExecutor(options.workers, mp_context=spawn) as pool:
        for world in worlds:
            for credit in options.credits:
                seeds = range(options.seeds)
                jobs = [pool.submit(one, options.algo, world, credit, seed) for seed in seeds]
                found = [job.result() for job in jobs]
                rows += found
                passed = sum(row["passes"] for row in found)
                shares = " ".join(f"{row['share']:.3f}" for row in found)
                stops = " ".join(f"{row['at_cutoff']:.2f}" for row in found)
                seconds = sum(row["seconds"] for row in found) / len(found)
                print(f"{options.algo} {world} {credit}: {passed} of {len(found)} seeds pass")
                print(f"  share {shares}\n  stops at the cutoff {stops}; {seconds:.0f} s each")
    if options.out:
        options.out.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
