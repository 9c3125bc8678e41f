"""Train and judge conditions x seeds, resumable.

Every condition with every seed; finished runs are not run again.

Example: myopia study quickstart --workers 2
Example: myopia study my_study.toml --out runs/mine
"""

import contextlib
import dataclasses
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import tyro

from myopia.cli.shared import follow_up, print_json
from myopia.common.links import check_default
from myopia.common.registry import module_names

SHIPPED = "myopia.analysis.studies.shipped"
STUDIES = (
    f"The name of a study that ships ({', '.join(module_names(SHIPPED))}), or a file: .py with a "
    "STUDY, or .toml."
)
PLACE = 50
"""Where it stands in the overview."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What `myopia study` is asked."""

    study: Annotated[str, tyro.conf.Positional, tyro.conf.arg(help=STUDIES)]
    workers: int | None = None
    """Runs at a time; one for each core if not given."""
    backend: str = "local"
    """local (processes on this machine) or ray (the extra `cluster`)."""
    out: Path | None = None
    """Where the run folders go; runs/<name of the study> if not given."""
    world_module: str | None = None
    """Your own module of the world, such as factory: what a folder names is not run by itself."""
    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Run what is not finished; 1 where a run failed."""
    out = options.out or check_default(Path("runs") / Path(options.study).stem)
    done = follow(options.study, out, options.workers, options.backend, not options.json)
    if options.json:
        print_json({"out": str(out), **dataclasses.asdict(done)})
    else:
        print(
            f"{done.total} runs in {out}: {done.skipped} were finished before, {done.done} now, "
            f"{len(done.errors)} failed; {done.seconds:.0f} s"
        )
        own = options.world_module or (options.study if options.study.endswith(".py") else None)
        print(f"  {follow_up('report', out, f'{own}:' if own else '')}")
    return 1 if done.errors else 0


def follow(study: str, out: Path, workers: int | None, backend: str, live: bool) -> Any:
    """Run a study, shown on a terminal if `live`; failures are told on stderr. Its last progress.

    Raises ValueError for bad input, before anything is written.
    """
    from myopia.analysis.studies.execution.run import run_study
    from myopia.analysis.studies.study import load_study

    steps = run_study(load_study(study), out, _cores() if workers is None else workers, backend)
    with contextlib.closing(steps):  # an interrupt ends the workers before it ends us
        progress = next(steps)
        with _bar(progress.total, live and sys.stderr.isatty()) as show:
            show(progress)
            for progress in steps:
                show(progress)
    for name, trace in progress.errors.items():
        print(f"failed: {name}\n{trace.rstrip()}\n", file=sys.stderr)
    return progress


@contextlib.contextmanager
def _bar(total: int, live: bool) -> Iterator[Any]:
    """A function that shows a progress, on a line of its own; nothing unless `live`."""
    if not live:
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    with Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
    ) as bar:
        task = bar.add_task("", total=total)

        def show(progress: Any) -> None:
            left = progress.seconds_left
            bar.update(
                task,
                completed=progress.skipped + progress.done,
                description=f"done, {progress.running} running, {len(progress.errors)} failed"
                + ("" if left is None else f", {left // 60:.0f}:{left % 60:02.0f} left"),
            )

        yield show


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
