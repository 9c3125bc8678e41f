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
    """Learning algorithm."""
    credit: str = "lifetime"
    """What the learner is told at an epoch boundary: lifetime, bootstrap or epoch."""
    seed: int = 0
    """Seed of the world, the weights and the sampling."""
    total_timesteps: int | None = None
    """Steps in the world, over all copies of it; the preset's if not given."""
    device: str = "auto"
    """auto, cpu or cuda."""
    out: Path | None = None
    """Run folder; runs/<id> if not given."""
    json: bool = False
    """Print JSON."""
    dials: tyro.conf.Suppress[tuple[str, ...]] = ()
    """The key=value tokens."""


def run(options: Options) -> int:
    """Train, and say where the run is."""
    world = world_from(options.world, options.dials)
    from myopia.agents.presets import PRESETS
    from myopia.agents.run import RunConfig, RunFolder
    from myopia.agents.train import choose_device, train
    from myopia.envs.choices import one_of
    from myopia.envs.credit import CREDITS

    one_thread()
    choose_device(options.device)
    one_of("credit mode", options.credit, CREDITS)
    preset = PRESETS[one_of("algorithm", options.algo, PRESETS)]
    steps = options.total_timesteps
    config = RunConfig(
        world=options.world,
        dials=world.dials(),
        algo=options.algo,
        credit=options.credit,
        seed=options.seed,
        total_timesteps=preset.total_timesteps if steps is None else steps,
    )
    terminal = sys.stderr.isatty() and not options.json
    out = options.out or Path("runs") / config.id
    done = (out / "config.json").exists() and RunFolder(out, config).done
    folder = train(config, out, options.device, progress=terminal)
    if options.json:
        print_json({"run": str(folder), "config": dataclasses.asdict(config)})
    else:
        print(f"{'done already' if done else 'trained'}: {config.algo} in {world.name}, {folder}")
        print(f"  myopia evaluate {folder}")
    return 0
