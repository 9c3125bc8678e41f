"""Learning curves of our PPO and of SB3's on the same world with the same settings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from myopia.agents.algorithms.ppo import CreditedPPO
from myopia.agents.algorithms.presets import find_algorithm
from myopia.agents.fast_ppo.parallel import learn_in_parallel
from myopia.agents.fast_ppo.rollout_callback import RolloutCallback
from myopia.cli.benchmarks.benchmark import Setting, benchmark
from myopia.cli.shared import one_thread
from myopia.common.files import write_whole
from myopia.envs import World
from myopia.envs.credit.credit import Credit
from myopia.superposition.figures import COLOURS, label, own_style, panels

SEEDS, PERMUTATIONS, STEPS = 10, 5000, 204_800


class Curve(RolloutCallback):
    """Mean reward of the last hundred lifetimes, after each rollout."""

    def __init__(self) -> None:
        super().__init__()
        self.points: list[float] = []

    def _on_rollout_end(self) -> None:
        self.points.append(float(np.mean([e["r"] for e in self.model.ep_info_buffer or ()])))


@benchmark
def curves(world: World, setting: Setting) -> Iterator[dict[str, Any]]:
    """Whether agents learn as SB3's do."""
    one_thread()
    yield compare(world, STEPS, setting.figure)


def learning_curves(
    world: World, steps: int, seeds: int = SEEDS, **settings: Any
) -> tuple[np.ndarray, ...]:
    """Curves (seeds, rollouts) of ours and of SB3's own loop, by the preset for this world.

    `settings` change SB3's side only.
    """
    chosen, _ = find_algorithm("ppo", world.name)
    credit, found = Credit.of("lifetime"), []
    for side in ("ours", "theirs"):
        models = []
        for seed in range(seeds):
            # other worlds and weights for the other side: the seeds are samples, not pairs
            seed = seed if side == "ours" else 1000 + seed
            algorithm = chosen
            if side == "theirs":
                algorithm = find_algorithm(_text(settings), world.name)[0]
                object.__setattr__(algorithm, "model_for", lambda env: CreditedPPO)
            env = algorithm.env(world, credit, seed)
            models.append(algorithm.build(env, credit, seed, "cpu", None))
        kept = [Curve() for _ in models]
        if side == "ours":
            learn_in_parallel(models, steps, kept)
        else:
            for model, curve in zip(models, kept, strict=True):
                model.learn(steps, callback=curve)
        found.append(np.array([curve.points for curve in kept]))
    return tuple(found)


def p_value(ours: np.ndarray, theirs: np.ndarray) -> float:
    """How often seeds dealt out at random differ as much as these, (seeds, points) each.

    Permutation test of the largest difference between the mean curves, each point in units of its
    standard deviation over all seeds: one test for the whole curve.
    """
    together = np.concatenate([ours, theirs])
    scaled = together / (together.std(axis=0) + 1e-9)
    sign = np.where(np.arange(len(together)) < len(ours), 1 / len(ours), -1 / len(theirs))
    dealt = np.random.default_rng(0).permuted(np.tile(sign, (PERMUTATIONS, 1)), axis=1)
    observed, gaps = (np.abs(signs @ scaled).max(axis=-1) for signs in (sign, dealt))
    return float((1 + np.sum(gaps >= observed - 1e-12)) / (1 + PERMUTATIONS))


def compare(world: World, steps: int, path: Path | None) -> dict[str, Any]:
    """A row of `myopia bench`; the figure goes to `path`."""
    found = learning_curves(world, steps)
    if path is not None:
        write_whole(path, lambda temporary: figure(world, steps, found, temporary))
    last = [f"{curve[:, -1].mean():.2f} at the end" for curve in found]
    return {
        "what": f"{world.name}, learning curves, {SEEDS} seeds each, {steps:,} steps",
        "ours": last[0],
        "peer_name": "SB3's PPO",
        "peer": last[1],
        "ratio": f"p = {p_value(*found):.3f}",
        "wanted": "curves that cannot be told apart: p above .05",
    }


@own_style
def figure(world: World, steps: int, found: tuple[np.ndarray, ...], path: Path) -> None:
    """Draw every seed and the means of both sides."""
    drawing, axes = panels(1, 1, 7, 4)
    axis = axes[0, 0]
    for curve, name, colour in zip(found, ("ours", "SB3's PPO"), COLOURS, strict=False):
        at = np.linspace(0, steps, curve.shape[1] + 1)[1:] / 1000
        axis.plot(at, curve.T, color=colour, alpha=0.25, linewidth=0.8)
        axis.plot(at, curve.mean(axis=0), color=colour, linewidth=2, label=f"{name}, mean")
    p = p_value(*found)
    title = f"{world.name}: {len(found[0])} seeds each, the same settings; p = {p:.2f}"
    label(axis, title, "steps in the world, thousands", "reward of the last 100 lifetimes")
    axis.legend(loc="lower right", frameon=False, fontsize=8)
    drawing.savefig(path, dpi=110)


def _text(settings: dict[str, Any]) -> str:
    return "ppo:" + ",".join(f"{name}={value}" for name, value in settings.items())
