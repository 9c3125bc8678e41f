"""Speed: a sparsity sweep of 20 instances of the 5-in-2 model as one tensor, against a plain loop.

The peer trains the same instances one after the other with the same recipe, in the same run, on
one CPU thread: `python benchmarks/bench_toy.py`. With a CUDA device the sweep runs there, too.
"""

import time

import torch

from myopia.superposition.toy import Features, Shape, Training, train

INSTANCES = 20
STEPS = 1000
REPEATS = 3
SHAPE = Shape(5, 2)
DENSITIES = tuple(float(p) for p in torch.logspace(0, -2, INSTANCES).clamp(max=1))


def together(device: str = "cpu") -> float:
    """Seconds for the whole sweep as one tensor."""
    training = Training(steps=STEPS, device=device)
    return _seconds(lambda: train(SHAPE, Features(5, DENSITIES), torch.ones(5), training), device)


def one_by_one(device: str = "cpu") -> float:
    """Seconds for a plain loop of single models, written as anyone would."""

    def loop() -> None:
        generator = torch.Generator(device).manual_seed(0)
        for density in DENSITIES:
            W = torch.randn(2, 5, generator=generator, device=device).mul_((2 / 7) ** 0.5)
            b = torch.zeros(5, device=device)
            W.requires_grad_()
            b.requires_grad_()
            optimiser = torch.optim.AdamW([W, b], lr=1e-3, weight_decay=0.01, fused=True)
            for _ in range(STEPS):
                u = torch.rand(1024, 5, generator=generator, device=device)
                x = torch.where(u < density, u / density, 0.0)
                loss = (x - torch.relu(x @ W.T @ W + b)).square().mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()

    return _seconds(loop, device)


def _seconds(work, device: str) -> float:
    began = time.perf_counter()
    work()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def main() -> None:
    """Print the median of three alternating pairs."""
    torch.set_num_threads(1)
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        pairs = [(together(device), one_by_one(device)) for _ in range(REPEATS)]
        for ours, theirs in pairs:
            print(f"{device}: one tensor {ours:.2f} s, loop {theirs:.2f} s, {theirs / ours:.1f}x")
        ratio = sorted(theirs / ours for ours, theirs in pairs)[REPEATS // 2]
        print(f"{device}: median {ratio:.1f}x for {INSTANCES} instances, {STEPS} steps")


if __name__ == "__main__":
    main()
