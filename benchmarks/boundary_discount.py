"""PPO under `discount:D` defers exactly the offers that a discount D makes worth deferring.

    python benchmarks/boundary_discount.py --seeds 5

Offers under a flat schedule: offer j is worth deferring iff D > 0.05 j. For each learner: the
largest j below which it defers every offer (P(defer | not shutdown) over one half, weighted by the
visits), exact, over 20.
"""

import argparse
import concurrent.futures
import multiprocessing
import tempfile
from pathlib import Path

import numpy as np
import torch

from myopia.agents.policies.agent import Agent
from myopia.agents.runs.run import RunConfig
from myopia.agents.training.train import train
from myopia.analysis.exact.occupancy import occupancy
from myopia.analysis.exact.policies import agent_policy
from myopia.envs import make_world


def deferred(across: float, seed: int, steps: int, algo: str) -> float:
    """The largest offer that one learner defers, with all smaller ones, as a discount."""
    torch.set_num_threads(1)
    world = make_world("Offers", schedule="constant")
    credit = f"discount:{across}"
    config = RunConfig("Offers", world.dials(), algo, credit, seed, steps)
    with tempfile.TemporaryDirectory() as folder:
        policy = agent_policy(world, Agent.load(train(config, Path(folder))))
    chosen = occupancy(world, policy).visits[..., None] * policy
    defers = np.zeros((world.task.offers, 2))
    for number, (offer, _, _) in enumerate(world.tables.states):
        if offer:  # what is deferred in the last epoch is never paid
            defers[offer - 1] += chosen[:-1, :, number, :2].sum(axis=(0, 1))
    takes, waits = defers.T
    return float(np.logical_and.accumulate(waits > takes).sum() / (world.task.offers + 1))


def main() -> None:
    """Sweep D, print what every seed defers, and whether it is D."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--across", nargs="*", type=float, default=[0.25, 0.5, 0.75])
    parser.add_argument("--algo", default="ppo")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3_000_000)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(options.workers, mp_context=spawn) as pool:
        for across in options.across:
            jobs = [
                pool.submit(deferred, across, seed, options.steps, options.algo)
                for seed in range(options.seeds)
            ]
            found = [job.result() for job in jobs]
            near = all(abs(one - across) <= 0.05 + 1e-9 for one in found)
            told = " ".join(f"{one:.2f}" for one in found)
            print(f"D {across}: defers up to {told}  {'holds' if near else 'FAILS'}", flush=True)


if __name__ == "__main__":
    main()
