"""Speed against a peer, in the same run: interleaved, one thread, medians and their ratio.

Example: myopia bench envs --runs 7
Example: myopia bench train Orchard --runs 3
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import tyro

from myopia.cli.shared import one_thread, print_json, world_from
from myopia.common.errors import check_choice
from myopia.envs import World

CURVE_STEPS = 204_800


@dataclasses.dataclass(frozen=True)
class Options:
    """What `myopia bench` is asked."""

    what: Annotated[str, tyro.conf.Positional] = "envs"
    """What to compare: envs, train or curves."""
    world: Annotated[str, tyro.conf.Positional] = "Investment"
    """Id or short name of the world; its dials as key=value beside it."""
    device: str = "cpu"
    """Where our side of `train` learns: cpu or cuda."""
    runs: int = 5
    """Interleaved runs of each side."""
    figure: Path | None = None
    """PNG for the learning curves."""
    json: bool = False
    """Print JSON."""
    dials: tyro.conf.Suppress[tuple[str, ...]] = ()
    """The key=value tokens."""


def run(options: Options) -> int:
    """Time what was asked and print a row for each comparison."""
    check_choice("benchmark", options.what, BENCHES)
    if options.runs < 1:
        raise ValueError(f"runs must be at least 1, got {options.runs}")
    world = world_from(options.world, options.dials)
    rows = BENCHES[options.what](world, options)
    found = []
    for one in rows:
        found.append(one)
        if not options.json:
            print(f"{one['what']}\n  ours {one['ours']}   {one['peer_name']} {one['peer']}")
            print(f"  ratio {one['ratio']}   wanted: {one['wanted']}\n", flush=True)
    if options.json:
        print_json(found)
    return 0


def envs(world: World, options: Options) -> Iterator[dict[str, Any]]:
    """How fast worlds step."""
    if options.device != "cpu":
        raise ValueError(f"bench envs times numpy on a CPU, expected no --device {options.device}")
    from myopia.cli.benchmarks.envs import BENCHES

    for bench in BENCHES:
        yield bench(world, options.runs)


def train(world: World, options: Options) -> Iterator[dict[str, Any]]:
    """How fast agents learn."""
    from myopia.agents.algorithms.presets import find_algorithm
    from myopia.agents.training.device import choose_device
    from myopia.cli.benchmarks.train import BENCHES

    one_thread()
    choose_device(options.device, find_algorithm("ppo", world.name)[0])
    for bench in BENCHES:
        yield bench(world, options.runs, options.device)


def curves(world: World, options: Options) -> Iterator[dict[str, Any]]:
    """Whether agents learn as SB3's do."""
    from myopia.cli.benchmarks.curves import compare

    one_thread()
    yield compare(world, CURVE_STEPS, options.figure)


BENCHES = {"envs": envs, "train": train, "curves": curves}
"""What can be timed -> its comparisons, a row at a time."""
