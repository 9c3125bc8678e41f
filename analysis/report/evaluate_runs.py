"""Every finished run in a folder, evaluated."""

from pathlib import Path

from myopia.agents.runs.run import is_done
from myopia.analysis.evaluation.evaluate_run import evaluate_run
from myopia.analysis.evaluation.evaluation import is_current
from myopia.analysis.evaluation.shape import check_entries
from myopia.analysis.report.results import Results, collect
from myopia.common.files import read_object
from myopia.common.search_path import safe_imports


@safe_imports()
def evaluate_runs(
    folder: str | Path, probes: str | None = None, only_missing: bool = False
) -> Results:
    """Evaluate the finished runs of a study's folder, a folder of run folders, or a run folder.

    Args:
        folder: where they are: itself, one level down, or two.
        probes: `all`, or names of changed worlds, to ask as well.
        only_missing: leave those alone that have an evaluation by the present definitions.

    Returns:
        The judged runs, as `collect` gives them; its `missing` names the others.

    Raises:
        ValueError: there is no finished run.
    """
    found = run_folders(Path(folder))
    if found and not any(map(is_done, found)):
        count = "1 run" if len(found) == 1 else f"{len(found)} runs"
        raise ValueError(f"{folder} holds {count}, and none of them is finished: expected training")
    for path in found:
        if is_done(path) and not (only_missing and _is_judged(path)):
            evaluate_run(path, probes)
    return collect(folder)


def run_folders(folder: Path) -> list[Path]:
    """The folders in it, itself included, that hold the config of a run."""
    if not folder.is_dir():
        raise ValueError(f"{folder}: expected a folder of runs, but there is none")
    every = [folder, *sorted(folder.glob("*")), *sorted(folder.glob("*/*"))]
    return [path for path in every if (path / "config.json").is_file()]


def _is_judged(folder: Path) -> bool:
    path = folder / "evaluation.json"
    try:
        entries = read_object(path)
        if is_current(entries):
            check_entries(entries, path)
    except ValueError:
        return False
    return is_current(entries)
