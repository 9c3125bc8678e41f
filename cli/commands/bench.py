"""Speed, against a peer in the same run.

Interleaved, one thread, medians and their ratio.

Example: myopia bench envs --runs 7
Example: myopia bench train Orchard --runs 3
"""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from myopia.cli.benchmarks.benchmark import BENCHMARKS, Setting
from myopia.cli.shared import print_json, world_from
from myopia.common.errors import check_at_least, check_choice

WHAT = "What to compare: " + ", ".join(BENCHMARKS)
PLACE = 140
"""Where it stands in the overview."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What `myopia bench` is asked."""

    what: Annotated[str, tyro.conf.Positional, tyro.conf.arg(help=WHAT)] = "envs"
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
    check_choice("benchmark", options.what, BENCHMARKS)
    check_at_least(options, runs=1)
    world = world_from(options.world, options.dials)
    setting = Setting(options.runs, options.device, options.figure)
    rows = BENCHMARKS[options.what](world, setting)
    found = []
    for one in rows:
        found.append(one)
        if not options.json:
            print(f"{one['what']}\n  ours {one['ours']}   {one['peer_name']} {one['peer']}")
            print(f"  ratio {one['ratio']}   wanted: {one['wanted']}\n", flush=True)
    if options.json:
        print_json(found)
    return 0
