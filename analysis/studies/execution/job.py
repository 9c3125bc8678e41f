"""The unit of work of a study: train a run, judge the agent, keep both in the run folder."""

import contextlib
import dataclasses
import itertools
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from myopia.agents.runs.run import RunConfig, is_done
from myopia.agents.training.parallel import MOST
from myopia.analysis.evaluation.evaluation import is_current
from myopia.analysis.evaluation.shape import check_entries
from myopia.common.files import read_object
from myopia.common.search_path import import_from


@dataclasses.dataclass(frozen=True)
class Job:
    """One run of a study, and what is to be asked of its agent."""

    condition: str
    config: RunConfig
    folder: Path
    probes: tuple[str, ...] = ()
    modules: tuple[tuple[str, str], ...] = ()
    """What a worker has to import, of one's own, and the folder that it is in."""

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
        judged = self.folder / "evaluation.json"
        if not (judged.exists() and is_done(self.folder)):
            return False
        try:
            entries = read_object(judged)
            if not is_current(entries):
                return False
            check_entries(entries, judged)
        except ValueError:
            return False  # damaged: what is asked again replaces it
        return set(self.probes) <= (entries.get("probes") or {}).keys()


class Event(NamedTuple):
    """A group of jobs began; or ended, with the cause of each that failed; or was returned.

    Returned is a group whose worker died: its jobs are given out again, each alone.
    """

    jobs: Sequence[Job]
    kind: Literal["began", "ended", "returned"]
    errors: dict[str, str]


def grouped(jobs: Sequence[Job], workers: int) -> list[Sequence[Job]]:
    """The jobs in groups that may learn side by side, as many as keep all workers busy."""
    alike: dict[tuple, list[Job]] = {}
    for job in jobs:
        key = (job.config.world, job.config.algo, job.config.steps)
        alike.setdefault(key, []).append(job)
    groups = []
    for same in alike.values():
        rounds = -(-len(same) // (MOST * workers))
        count = min(rounds * workers, len(same))
        edges = np.linspace(0, len(same), count + 1).round().astype(int)
        groups += [same[low:high] for low, high in itertools.pairwise(edges)]
    return groups


def run_group(jobs: Sequence[Job]) -> dict[str, str]:
    """Train jobs side by side where their shapes allow it, and judge each.

    Returns why each failed that did: a sentence, or a traceback. Where the training of one fails,
    the others are trained alone.
    """
    from myopia.agents.training.parallel import train_many
    from myopia.agents.training.train import train
    from myopia.analysis.evaluation.evaluate_run import evaluate_run

    errors = {}
    for module, folder in {module for job in jobs for module in job.modules}:
        import_from(module, folder)
    with contextlib.suppress(Exception):  # told below, by the one that it comes from
        train_many([job.config for job in jobs], [job.folder for job in jobs])
    for job in jobs:
        try:
            train(job.config, job.folder)
            evaluate_run(job.folder, ",".join(job.probes) or None)
        except (ValueError, OSError) as error:  # the study goes on, and tells it at the end
            errors[job.name] = str(error)
        except Exception:
            errors[job.name] = traceback.format_exc()
    return errors
