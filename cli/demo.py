"""From end to end: the full recipe and one contrast on Investment, a verdict, a page.

Example: myopia demo
"""

import dataclasses
import sys
import time
from pathlib import Path

from myopia.cli.world import one_thread

CONDITIONS = {
    "recipe": {},
    "no cutoff": {"schedule": "constant"},
}
"""Condition -> the dials of Investment that differ from the full recipe."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What `myopia demo` is asked."""

    total_timesteps: int = 400_000
    """Steps of training for each condition."""
    seed: int = 0
    """Seed of both runs."""
    runs: Path = Path("runs/demo")
    """Where the run folders go."""
    out: Path = Path("report/index.html")
    """The page."""


def run(options: Options) -> int:
    """Train, evaluate, report."""
    from myopia.agents.agent import Agent
    from myopia.agents.files import write_json
    from myopia.agents.run import RunConfig
    from myopia.agents.train import train
    from myopia.analysis.evaluation import evaluate_agent
    from myopia.analysis.report import collect, write_report
    from myopia.analysis.verdict import verdict
    from myopia.envs import make_world

    one_thread()
    began = time.monotonic()
    folders = []
    for name, dials in CONDITIONS.items():
        world = make_world("Investment", **dials)
        config = RunConfig(
            "Investment", world.dials(), seed=options.seed, total_timesteps=options.total_timesteps
        )
        folder = options.runs / name.replace(" ", "-")
        print(f"training: {name} ({world.schedule}), {config.total_timesteps:,} steps", flush=True)
        folders.append(train(config, folder, progress=sys.stderr.isatty()))
        evaluation = evaluate_agent(world, Agent.load(folder), folder.name)
        write_json(folder / "evaluation.json", evaluation.json())
        print(f"  {verdict(evaluation.json())}", flush=True)
    runs = {folder.name: found for folder in folders for found in collect(folder).values()}
    write_report(runs, options.out, "Does it care only about the present epoch? Investment")
    print(f"wrote {options.out} after {time.monotonic() - began:.0f} s")
    return 0
