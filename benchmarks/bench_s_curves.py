"""Time of the whole S-curve sweep, and of one setting against a plain loop over its seeds.

4 ranks x 2 losses x 2 optimisers x 20 seeds; cross-entropy 20 000 steps, MSE to 1e-3 of its start
or 5 000: `python benchmarks/bench_s_curves.py`. A step works on 10 000 entries for each seed, so
that on one CPU thread there is little left for one tensor to save.
"""

import time
from dataclasses import replace

import torch

from myopia.superposition.curves import Descent, Sweep, descend, run_all

PEER = Descent(rank=1, loss="cross-entropy", learning_rate=0.03, spread=0.1, steps=2000)


def main() -> None:
    """Print the seconds."""
    torch.set_num_threads(1)
    together = _seconds(lambda: descend(PEER))
    seeds = [replace(PEER, seeds=1, first_seed=seed) for seed in range(PEER.seeds)]
    apart = _seconds(lambda: [descend(seed) for seed in seeds])
    print(
        f"rank 1, cross-entropy, {PEER.seeds} seeds: one tensor {together:.2f} s, "
        f"loop {apart:.2f} s, {apart / together:.1f}x"
    )
    settings = Sweep().settings()
    seconds = _seconds(lambda: run_all(settings))
    print(f"the whole sweep, {len(settings)} settings of 20 seeds: {seconds:.0f} s on one thread")


def _seconds(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
