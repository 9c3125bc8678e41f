"""Train an agent in a world.

Into a run folder; the same command again goes on where it stopped.

Example: myopia train Investment gain=0.5 index=exact --credit lifetime --seed 0 --out runs/first
Example: myopia train Investment --algo ppo:gamma=0.4,hidden=32/32 --credit window:8
Example: myopia train Investment --seeds 0:16 --out runs/many
Example: myopia train Dilemma --algo a2c --population 10 --rank epoch --interval 1000 --swap
Example: myopia train --continue-from runs/first --total-timesteps 200000 --credit epoch
Example: myopia train Investment --cadence --baseline runs/evaluated --danger 0.5 --seed 1
"""

import contextlib
import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Any

import tyro

from myopia.cli.evaluation_options import CadenceOptions, cadence_of
from myopia.cli.shared import dials_from, follow_up, one_thread, print_json, world_from
from myopia.common import specs
from myopia.envs import World
from myopia.envs.credit.credit import CREDITS

CREDIT = "What the learner is told at an epoch boundary: " + ", ".join(
    mode.form for mode in CREDITS.values()
)
PLACE = 20
"""Where it stands in the overview."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What `myopia train` is asked."""

    world: Annotated[str | None, tyro.conf.Positional] = None
    """Id or short name; its dials as key=value beside it. The run's with --continue-from."""
    algo: str | None = None
    """One that myopia algos lists, with settings if they differ from the preset's:
    ppo:gamma=0.4,hidden=32/32; ppo if not given, the run's with --continue-from."""
    credit: Annotated[str | None, tyro.conf.arg(help=CREDIT)] = None
    seed: int = 0
    """Seed of the world, the weights and the sampling."""
    continue_from: Path | None = None
    """A finished run whose weights and optimiser this one begins with, for --total-timesteps more;
    in its world and under its credit, or in others. Lifetimes, draws, the counter of steps,
    schedules and a replay buffer begin anew; run.json keeps the lineage."""
    seeds: str | None = None
    """Many seeds in one program, FIRST:END (END not included); run folders seed-<n> within out."""
    total_timesteps: int | None = None
    """Steps in the world, over all copies of it; the preset's if not given."""
    device: str = "auto"
    """auto, cpu or cuda."""
    checkpoint_seconds: float = 30.0
    """Seconds between two checkpoints."""
    population: int | None = None
    """Train so many learners side by side, with seeds from --seed on."""
    rank: str = "none"
    """Select in the population on: epoch or lifetime reward, or none."""
    interval: int = 10_240
    """Steps of each learner between two selections."""
    swap: bool = False
    """Context swapping: the learners exchange worlds at every epoch boundary."""
    spread: float = 0.0
    """Standard deviation of a shift of each learner's action logits at the start."""
    track: bool = False
    """Send the scalars to Weights & Biases, too."""
    out: Path | None = None
    """Run folder; runs/<id> if not given."""
    world_module: str | None = None
    """Your own module of the world, such as factory: what a folder names is not run by itself."""
    evaluations: Annotated[CadenceOptions, tyro.conf.OmitArgPrefixes] = dataclasses.field(
        default_factory=CadenceOptions
    )
    """In the middle of training."""
    json: bool = False
    """Print JSON."""
    dials: tyro.conf.Suppress[tuple[str, ...]] = ()
    """The key=value tokens."""


def run(options: Options) -> int:
    """Train, and say where the run is."""
    world = None if options.world is None else world_from(options.world, options.dials)
    from myopia.agents.training.device import choose_device

    one_thread()
    if not options.checkpoint_seconds >= 0:
        raise ValueError(f"checkpoint-seconds must be at least 0, got {options.checkpoint_seconds}")
    config = _config(options, world)
    if options.population is None and (options.swap or options.spread or options.rank != "none"):
        raise ValueError("--swap, --spread, --rank are between learners: expected --population N")
    several = options.seeds is not None or options.population is not None
    if several and options.evaluations != CadenceOptions():
        raise ValueError("--cadence follows one run: expected no --seeds, no --population")
    if options.seeds is not None:
        if options.seed:
            raise ValueError(f"--seeds stands in the place of --seed, got {options.seed} as well")
        if options.population is not None or options.track:
            raise ValueError("--seeds are runs of their own: expected no --population, no --track")
        return _many(options, config)
    device, why = choose_device(options.device, config.settings)
    if options.population is not None:
        folder, what = _population(options, config, device)
    else:
        folder, what = _single(options, config, device)
    if options.json:
        print_json({"run": str(folder), "config": dataclasses.asdict(config)})
    else:
        print(f"{what}: {config.algorithm} in {config.short_world}, {folder}")
        print(f"  device {device}: {why}")
        member = folder if options.population is None else folder / "member-00"
        print(f"  {follow_up('evaluate', member, config.world)}")
    return 0


def _config(options: Options, world: World | None):
    from myopia.agents.runs.continuation import continuation, origin_of
    from myopia.agents.runs.run import RunConfig

    words: dict[str, Any] = {"seed": options.seed, "total_timesteps": options.total_timesteps}
    words |= {"algo": options.algo, "credit": options.credit}
    words = {name: value for name, value in words.items() if value is not None}
    if options.continue_from is None:
        if world is None:
            raise ValueError("expected a world to train in (myopia envs), or --continue-from RUN")
        return RunConfig.of(world, **words)
    if options.seeds is not None or options.population is not None:
        raise ValueError("--continue-from begins one run: expected no --seeds, no --population")
    dials = dials_from(options.dials) if world is None else {}
    return continuation(origin_of(options.continue_from), world, **words, **dials)


def _single(options: Options, config, device: str) -> tuple[Path, str]:
    from myopia.agents.training.train import train
    from myopia.agents.training.wandb import tracked

    out = options.out or config.default_folder
    done = is_done(out, config)
    if done and options.evaluations.cadence and not (out / "cadence.json").exists():
        raise ValueError(f"{out} was trained without --cadence, expected a new folder by --out")
    terminal = sys.stderr.isatty() and not options.json
    cadence = cadence_of(options.evaluations, config, out)
    with tracked(config, out) if options.track and not done else contextlib.nullcontext():
        folder = train(
            config,
            out,
            continue_from=None if done else options.continue_from,
            device=device,
            progress=terminal,
            checkpoint_seconds=options.checkpoint_seconds,
            callbacks=cadence,
        )
    return folder, "done already" if done else "trained"


def _population(options: Options, config, device: str) -> tuple[Path, str]:
    from myopia.agents.population.population import PopulationConfig, train_population

    assert options.population is not None
    if options.track:
        raise ValueError("--track follows one run, not a population: expected one of the two")
    asked = PopulationConfig(
        config,
        options.population,
        options.rank,
        options.interval,
        swap=options.swap,
        spread=options.spread,
    )
    folder = train_population(asked, options.out, device, options.checkpoint_seconds)
    return folder, f"population of {options.population}"


def _many(options: Options, config: Any) -> int:
    from myopia.agents.training.parallel import train_many

    seeds = parse_seeds(options.seeds or "")
    configs = [dataclasses.replace(config, seed=seed) for seed in seeds]
    outs = [
        options.out / f"seed-{one.seed}" if options.out else one.default_folder for one in configs
    ]
    terminal = sys.stderr.isatty() and not options.json
    done = sum(is_done(out, one) for out, one in zip(outs, configs, strict=True))
    folders = train_many(configs, outs, options.device, terminal, options.checkpoint_seconds)
    if options.json:
        rows = zip(folders, configs, strict=True)
        print_json([{"run": str(run), "config": dataclasses.asdict(one)} for run, one in rows])
    else:
        before = f", {done} of them before" if done else ""
        print(f"trained: {len(configs)} seeds of {config.algorithm} in {config.world}{before}")
        for folder in folders:
            print(f"  {folder}")
    return 0


def is_done(out: Path, config: Any) -> bool:
    """Whether the run is finished. Raises ValueError where the folder holds another one."""
    from myopia.agents.runs.run import RunFolder

    return (out / "config.json").exists() and RunFolder(out, config).done


MOST_SEEDS = 10_000
"""In one program: each is a run folder."""


def parse_seeds(text: str) -> range:
    """The seeds of `0:16`. Raises ValueError saying what was expected."""
    first, colon, end = text.partition(":")
    try:
        low, high = (specs.convert(part, int, "seeds") for part in (first, end))
        if not colon or not 0 <= low < high:
            raise ValueError
    except ValueError:
        raise ValueError(
            f"seeds {text[:80]!r}: expected FIRST:END with FIRST below END, such as 0:16"
        ) from None
    if high - low > MOST_SEEDS:
        raise ValueError(f"seeds {text!r} are {high - low}, expected at most {MOST_SEEDS}")
    return range(low, high)
