"""What a folder of runs holds: conditions, and the runs of each, one for a seed."""

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from myopia.agents.runs.run import RunConfig, check_run_links, read_record
from myopia.analysis.evaluation.evaluation import MEASURES_VERSION, measures_of
from myopia.analysis.evaluation.shape import check_entries
from myopia.analysis.measures.score import Entries
from myopia.analysis.studies.study import study_of
from myopia.common.files import read_json, read_object, reading
from myopia.common.search_path import safe_imports

if TYPE_CHECKING:
    import polars

RowsByCondition = Mapping[str, Sequence[Entries]]
"""Condition -> the entries of `evaluation.json`, one for each seed: what figures are drawn from."""


@dataclasses.dataclass(frozen=True)
class Run:
    """A judged run: its folder, and what `config.json`, `run.json` and `evaluation.json` say."""

    folder: Path
    config: RunConfig
    record: dict[str, Any]
    evaluation: dict[str, Any]

    @staticmethod
    def read(folder: Path) -> "Run":
        """Raises ValueError where a file is missing, damaged, of another version or a link out."""
        check_run_links(folder)
        config = RunConfig.read(folder)
        entries = _evaluation(folder)
        world = config.make_world() if config.is_known else None
        check_entries(entries, folder / "evaluation.json", world)
        return Run(folder, config, read_record(folder), entries)


@dataclasses.dataclass(frozen=True)
class Results:
    """Judged runs by condition; `missing` says which runs of the study are not there, and why.

    `primary`: the comparisons that the study declared, a condition and a score each.
    """

    title: str
    conditions: Mapping[str, Sequence[Run]]
    missing: Sequence[str] = ()
    primary: Sequence[tuple[str, str]] = ()

    @property
    def table(self) -> RowsByCondition:
        """The evaluations alone, each with its `seed`."""
        return {
            name: [{**run.evaluation, "seed": run.config.seed} for run in runs]
            for name, runs in self.conditions.items()
        }

    def frame(self) -> "polars.DataFrame":
        """A row for each run: condition, seed, folder, settings, every number of its evaluation.

        Entries within entries are columns such as `stop.mean`; null where there is no number.
        """
        import polars

        rows = []
        for condition, runs in self.conditions.items():
            for run in runs:
                settings = dataclasses.asdict(run.config)
                head = {"condition": condition, "seed": settings.pop("seed")}
                numbers = {k: v for k, v in run.evaluation.items() if k not in WITHOUT_COLUMNS}
                rows.append({**head, "folder": str(run.folder), **_flat(settings | numbers)})
        return polars.DataFrame(rows, infer_schema_length=None, strict=False)


WITHOUT_COLUMNS = ("reasons", "learning", "probes", "measures")
"""Entries of an evaluation that are no numbers of the agent in its world."""


def _flat(entries: Entries, before: str = "") -> dict[str, Any]:
    """Nested entries as dotted columns; lists are left out."""
    columns: dict[str, Any] = {}
    for name, value in entries.items():
        if isinstance(value, Mapping):
            columns |= _flat(value, f"{before}{name}.")
        elif not isinstance(value, list | tuple):
            columns[before + name] = value
    return columns


@safe_imports()
def collect(folder: str | Path) -> Results:
    """The judged runs of a study's folder, of a folder of run folders, or of one run folder.

    Outside a study, runs that differ in their seed alone are one condition, as are the members of
    a population. Runs that were judged by other definitions of the measures are left out, and
    named in `missing`. Raises ValueError where there is none, or where one cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder}: expected a folder of runs, but there is none")
    results = _of_study(folder) if (folder / "study.json").exists() else _of_folder(folder)
    if not results.conditions:
        why = f" ({'; '.join(results.missing[:3])})" if results.missing else ""
        raise ValueError(
            f"{folder}: no evaluated run in it{why}; expected runs, then myopia evaluate"
        )
    return results


def _of_study(folder: Path) -> Results:
    path = folder / "study.json"
    values = read_object(path)
    with reading(path, "not a study that myopia wrote"):
        try:
            study = study_of(values)
        except ValueError as error:
            raise ValueError(
                f"{path}: {error} (not a study, or what it names is somebody's own: --world-module)"
            ) from None
    conditions: dict[str, list[Run]] = {}
    missing = []
    for path, (condition, seed) in study.folders(folder).items():
        if (state := _state(path)) is None:
            conditions.setdefault(condition, []).append(Run.read(path))
        else:
            missing.append(f"{condition}, seed {seed}: {state}")
    ordered = {name: conditions[name] for name in study.conditions if name in conditions}
    return Results(study.title, ordered, missing, study.comparisons)


def _of_folder(folder: Path) -> Results:
    conditions: dict[str, list[Run]] = {}
    names: dict[str, str] = {}
    missing = []
    for path in [folder, *sorted(folder.glob("*")), *sorted(folder.glob("*/*"))]:
        if not (path / "evaluation.json").exists():
            continue
        if (state := _state(path)) is not None:
            missing.append(f"{path.relative_to(folder.parent)}: {state}")
            continue
        run = Run.read(path)
        population = path.parent / "population.json"
        among = read_json(population) if population.exists() else None
        config = dataclasses.asdict(run.config)
        asked = json.dumps({**config, "seed": None, "among": among}, sort_keys=True)
        name = path.parent.name if re.fullmatch(r"(seed|member)-\d+", path.name) else path.name
        same = conditions.setdefault(names.setdefault(asked, name), [])
        for other in same:
            if other.config.seed == run.config.seed:
                raise ValueError(
                    f"{other.folder} and {path} hold the same run, seed {run.config.seed}: "
                    "expected each once, for copies would look like certainty"
                )
        same.append(run)
    return Results(f"How myopic? {folder.resolve().name}", conditions, missing)


def _state(folder: Path) -> str | None:
    """Why a run has no evaluation that counts; None where it has one."""
    if (folder / "evaluation.json").exists():
        measures = measures_of(_evaluation(folder))
        if measures == MEASURES_VERSION:
            return None
        known = MEASURES_VERSION
        return f"judged by definitions {measures}, expected {known}: myopia evaluate {folder}"
    if not (folder / "run.json").exists():
        return "not run"
    record = read_record(folder)
    cause = f", {record['cause']}" if record["cause"] else ""
    return "done, but not evaluated" if record["status"] == "done" else record["status"] + cause


def _evaluation(folder: Path) -> dict[str, Any]:
    return read_object(folder / "evaluation.json")
