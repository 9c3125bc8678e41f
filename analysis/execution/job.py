"""The unit of work of a study: train a run, judge the agent, keep both in the run folder."""

import dataclasses
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from myopia.agents.files import read_json
from myopia.agents.run import RunConfig


@dataclasses.dataclass(frozen=True)
class Job:
    """One run of a study, and what is to be asked of its agent."""

    condition: str
    config: RunConfig
    folder: Path
    probes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.condition}, seed {self.config.seed}"

    def finished(self) -> bool:
        """Whether the folder holds the trained run and everything that is to be asked of it.

        Raises ValueError where the folder holds another run, or files that cannot be read.
        """
        if not (self.folder / "config.json").exists():
            return False
        if RunConfig.read(self.folder) != self.config:
            raise ValueError(
                f"{self.folder} holds a run with other settings than {self.name} has; expected "
                "the study that made it, or another folder"
            )
        record, judged = self.folder / "run.json", self.folder / "evaluation.json"
        if not (record.exists() and judged.exists()) or read_json(record)["status"] != "done":
            return False
        return set(self.probes) <= read_json(judged).get("probes", {}).keys()


class Event(NamedTuple):
    """A group of jobs began, or ended; then `errors` has a traceback for each that failed."""

    jobs: Sequence[Job]
    ended: bool
    errors: dict[str, str]


def run_group(jobs: Sequence[Job]) -> dict[str, str]:
    """Run jobs whose networks and worlds have equal shapes; the traceback of each that failed.

    The one place where runs of a group could be trained together; today they follow each other.
    """
    errors = {}
    for job in jobs:
        try:
            _run(job)
        except Exception:  # the study goes on, and tells it at the end
            errors[job.name] = traceback.format_exc()
    return errors


def _run(job: Job) -> None:
    from myopia.agents.train import train
    from myopia.analysis.judge import judge_run

    train(job.config, job.folder)
    judge_run(job.folder, ",".join(job.probes) or None)
