"""The exact threshold of Dilemma: a learner with discount γ cooperates iff γ > -beta.

    python benchmarks/dilemma_discount.py --algos ppo a2c dqn --seeds 3

A flat schedule without shutdown, the index hidden, the last action observed (arXiv 2009.09153; see
`myopia.envs.worlds.dilemma`). P(C) is the share of cooperation over the steps of a lifetime, exact.
"""

import argparse
import concurrent.futures
import multiprocessing
import tempfile
from pathlib import Path

import torch

from myopia.agents.policies.agent import Agent
from myopia.agents.runs.run import RunConfig
from myopia.agents.training.train import train
from myopia.analysis.exact.occupancy import occupancy
from myopia.analysis.exact.policies import agent_policy
from myopia.envs import make_world

WORLD = {"schedule": "constant", "shutdown": "never", "index": "hidden", "max_epochs": 101}


def cooperation(algo: str, gamma: float, seed: int, steps: int) -> float:
    """P(C) of one learner."""
    torch.set_num_threads(1)
    world = make_world("Dilemma", **WORLD)
    config = RunConfig("Dilemma", world.dials(), f"{algo}:gamma={gamma}", "lifetime", seed, steps)
    with tempfile.TemporaryDirectory() as folder:
        policy = agent_policy(world, Agent.load(train(config, Path(folder))))
    visits = occupancy(world, policy).visits
    does = (visits[..., None] * policy).sum(axis=(0, 1, 2)) / visits.sum()
    return float(does[world.actions.index("cooperate")])


def main() -> None:
    """Sweep the discount, print P(C) of every seed, and whether the threshold holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--algos", nargs="*", default=["ppo", "a2c", "dqn"])
    parser.add_argument("--gammas", nargs="*", type=float, default=[0.2, 0.4, 0.5, 0.6, 0.8])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=150_000)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    threshold = -make_world("Dilemma").dials()["beta"]
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(options.workers, mp_context=spawn) as pool:
        for algo in options.algos:
            for gamma in options.gammas:
                jobs = [
                    pool.submit(cooperation, algo, gamma, seed, options.steps)
                    for seed in range(options.seeds)
                ]
                found = [job.result() for job in jobs]
                shares = " ".join(f"{share:.3f}" for share in found)
                if abs(gamma - threshold) < 0.099:
                    said = "near the threshold, reported only"
                elif gamma < threshold:
                    said = "holds" if max(found) < 0.1 else "FAILS: expected below .1"
                else:
                    said = "holds" if min(found) > 0.9 else "FAILS: expected above .9"
                print(f"{algo} gamma {gamma}: P(C) {shares}  {said}", flush=True)


if __name__ == "__main__":
    main()
