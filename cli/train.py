"""Train an agent in a world, into a run folder.

Example: myopia train Investment gain=0.5 index=exact --credit lifetime --seed 0 --out runs/first
"""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import tyro

from myopia.cli.world import one_thread, print_json, world_from


@dataclasses.dataclass(frozen=True)
class Options:
    """What `myopia train` is asked."""

    world: Annotated[str, tyro.conf.Positional]
    """Id or short name; its dials as key=value beside it."""
    algo: str = "ppo"
    """Learning algorithm, with its settings: ppo, ppo:gamma=0.4,hidden=32/32, a2c, dqn, qrdqn,
    maskableppo, recurrentppo."""
    credit: str = "lifetime"
    """What the learner is told at an epoch boundary: lifetime, bootstrap, epoch or window:M."""
    seed: int = 0
    """Seed of the world, the weights and the sampling."""
    total_timesteps: int | None = None
    """Steps in the world, over all copies of it; the preset's if not given."""
    device: str = "auto"
    """auto, cpu or cuda."""
    checkpoint_seconds: float = 30.0
    """Seconds between two checkpoints; the same command goes on from the last one."""
    out: Path | None = None
    """Run folder; runs/<id> if not given."""
    json: bool = False
    """Print JSON."""
    dials: tyro.conf.Suppress[tuple[str, ...]] = ()
    """The key=value tokens."""


def run(options: Options) -> int:
    """Train, and say where the run is."""
    world = world_from(options.world, options.dials)
    from myopia.agents.device import choose_device
    from myopia.agents.run import RunConfig, RunFolder
    from myopia.agents.train import train

    one_thread()
    config = RunConfig(
        world=world.name,
        dials=world.dials(),
        algo=options.algo,
        credit=options.credit,
        seed=options.seed,
        total_timesteps=options.total_timesteps,
    )
    device, why = choose_device(options.device, config.settings)
    terminal = sys.stderr.isatty() and not options.json
    out = options.out or Path("runs") / config.id
    done = (out / "config.json").exists() and RunFolder(out, config).done
    folder = train(config, out, device, terminal, options.checkpoint_seconds)
    if options.json:
        print_json({"run": str(folder), "config": dataclasses.asdict(config)})
    else:
        print(
            f"{'done already' if done else 'trained'}: {config.algorithm} in {world.name}, {folder}"
        )
        print(f"  device {device}: {why}")
        print(f"  myopia evaluate {folder}")
    return 0
