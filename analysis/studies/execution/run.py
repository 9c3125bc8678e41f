"""A study on the backend that was asked for; it can be cut short and begun again at any time."""

import dataclasses
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

from myopia.analysis.studies.execution.job import Event, Job, grouped
from myopia.analysis.studies.execution.local import run_local
from myopia.analysis.studies.execution.ray import run_ray
from myopia.analysis.studies.study import Study
from myopia.common.errors import check_choice
from myopia.common.files import rewrite_json
from myopia.common.links import check_links
from myopia.common.search_path import safe_imports

Backend = Callable[[Sequence[Sequence[Job]], int], Iterator[Event]]
BACKENDS: dict[str, Backend] = {"local": run_local, "ray": run_ray}
"""Name -> function from groups of jobs, and how many at a time, to what happens to them."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a study is. `errors` maps the name of a failed run to why it failed."""

    total: int
    skipped: int
    done: int = 0
    running: int = 0
    seconds: float = 0.0
    errors: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def seconds_left(self) -> float | None:
        """As many runs as are left, at the pace so far; None before the first has ended."""
        ended = self.done + len(self.errors)
        left = self.total - self.skipped - ended
        return self.seconds / ended * left if ended else None


def run_study(
    study: Study, out: str | Path, workers: int = 1, backend: str = "local"
) -> Generator[Progress, None, None]:
    """Run what is not finished of `study` in `out`; how far it is, at every change.

    Raises ValueError before anything is written where a condition, the backend, the number of
    workers or a folder is wrong. Nothing runs unless the iterator is followed to its end.
    """
    with safe_imports():
        yield from _progress(study, Path(out), workers, backend)


def _progress(
    study: Study, out: Path, workers: int, backend: str
) -> Generator[Progress, None, None]:
    execute = BACKENDS[check_choice("backend", backend, BACKENDS)]
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    jobs = study.jobs(out)
    check_links(out)
    if (out / "config.json").exists():
        raise ValueError(f"{out} holds a run, expected a folder of the study's own, by --out")
    todo = [job for job in jobs if not job.finished()]
    workers = min(workers, len(todo))  # more of them would have nothing to do
    events = execute(grouped(todo, workers), workers) if todo else ()
    rewrite_json(out / "study.json", dataclasses.asdict(study))
    progress = Progress(len(jobs), len(jobs) - len(todo))
    yield progress
    began = time.monotonic()
    for event in events:
        count = len(event.jobs)
        progress = dataclasses.replace(progress, seconds=time.monotonic() - began)
        if event.kind == "began":
            progress = dataclasses.replace(progress, running=progress.running + count)
        else:
            progress = dataclasses.replace(progress, running=progress.running - count)
        if event.kind == "ended":
            progress = dataclasses.replace(
                progress,
                done=progress.done + count - len(event.errors),
                errors=progress.errors | event.errors,
            )
        yield progress
