"""Selection looks across epochs where no learner does, and context swapping stops it.

    python benchmarks/population.py --seeds 3 --workers 2

The experiment of arXiv 2009.09153 with SB3 learners: A2C with discount 0, that sees no state, in
Dilemma under a flat schedule without shutdown; no outer loop, population-based training on the
epoch's reward after every update, and the same with context swapping. As in the paper the learners
begin apart, with logits shifted by N(0, 1), and the learning rates fade as selection goes on. P(C)
is the mean over members of the probability to cooperate. Expected, from the paper: low; higher; low
again.
"""

import argparse
import concurrent.futures
import multiprocessing
import tempfile
from pathlib import Path

import numpy as np
import torch

from myopia.agents.policies.agent import Agent
from myopia.agents.population.population import PopulationConfig, train_population
from myopia.agents.runs.run import RunConfig
from myopia.envs import make_sb3, make_world

WORLD = {
    "schedule": "constant",
    "shutdown": "never",
    "max_epochs": 201,
    "index": "hidden",
    "observe_state": False,
}
ALGO = "a2c:num_envs=2,n_steps=4,hidden=4,learning_rate=1e-3,anneal=false,ent_coef=0,gamma=0"
INTERVAL = 8  # one update
ARMS = {"no outer loop": ("none", False), "PBT": ("epoch", False), "PBT, swapping": ("epoch", True)}


def cooperation(arm: str, seed: int, members: int, steps: int) -> float:
    """Mean P(C) of a population after its training."""
    torch.set_num_threads(1)
    world = make_world("Dilemma", **WORLD)
    run = RunConfig("Dilemma", world.dials(), ALGO, "epoch", 1000 * seed, steps)
    rank, swap = ARMS[arm]
    config = PopulationConfig(run, members, rank, INTERVAL, swap=swap, spread=1.0)
    observation = make_sb3(world, 1, seed=0).reset()
    with tempfile.TemporaryDirectory() as folder:
        out = train_population(config, Path(folder) / "population")
        agents = [Agent.load(out / f"member-{index:02d}") for index in range(members)]
    column = world.actions.index("cooperate")
    return float(np.mean([agent(observation)[0, column] for agent in agents]))


def main() -> None:
    """Train every arm and seed, print P(C), and whether the directions are the paper's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--members", type=int, default=20)
    parser.add_argument("--steps", type=int, default=3_200)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    found: dict[str, list[float]] = {}
    with concurrent.futures.ProcessPoolExecutor(options.workers, mp_context=spawn) as pool:
        for arm in ARMS:
            jobs = [
                pool.submit(cooperation, arm, seed, options.members, options.steps)
                for seed in range(options.seeds)
            ]
            found[arm] = [job.result() for job in jobs]
            print(f"{arm}: P(C) {' '.join(f'{share:.3f}' for share in found[arm])}", flush=True)
    none, selected, swapped = found.values()
    print(f"selection raises cooperation in every seed: {min(selected) > max(none)}")
    print(f"swapping lowers it again in every seed: {max(swapped) < min(selected)}")


if __name__ == "__main__":
    main()
