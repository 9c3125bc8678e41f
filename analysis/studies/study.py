"""A study: conditions x seeds x probes, in a Python file or in TOML."""

import dataclasses
import importlib.util
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from myopia.agents.runs.run import RunConfig
from myopia.analysis.probes.probe import PROBES
from myopia.analysis.report.scores import SCORES
from myopia.analysis.studies.execution.job import Job
from myopia.common import specs
from myopia.common.errors import check_choice, first_line, unknown_name_error
from myopia.common.files import read_text
from myopia.common.registry import module_names
from myopia.common.search_path import neighbours
from myopia.envs.registry import registered_world, world_module

MOST_PRIMARY = 6
"""Comparisons that five seeds of each condition can tell apart together."""

MOST_LETTERS = 200
"""Of the name of a condition's folder."""

SHIPPED = Path(__file__).parent / "shipped"


@dataclasses.dataclass(frozen=True)
class Study:
    """What is compared.

    `base` and each of `conditions` map words to values: settings of the run (world, algo, credit,
    total_timesteps), or dials of its world. A condition is the base with its own words on top; the
    first one is what the others are compared with. `probes` are asked of every agent. `primary`
    declares, before anything is seen, the comparisons that are tested, at most six: `condition:
    score`, such as `no cutoff: foresight`. All the rest stands side by side.
    """

    title: str
    base: Mapping[str, Any]
    conditions: Mapping[str, Mapping[str, Any]]
    seeds: tuple[int, ...]
    probes: tuple[str, ...] = ()
    primary: tuple[str, ...] = ()

    module: ClassVar[tuple[str, str] | None] = None
    """The module of a study in Python and its folder: workers import it for what it registers."""

    @property
    def comparisons(self) -> tuple[tuple[str, str], ...]:
        """`primary`, taken apart: a condition and a score each."""
        parts = (one.rpartition(":") for one in self.primary)
        return tuple((condition.strip(), score.strip()) for condition, _, score in parts)

    def __post_init__(self) -> None:
        if not self.conditions:
            raise ValueError("a study needs at least one condition, got none")
        if not self.seeds:
            raise ValueError("a study needs at least one seed, got none")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"a seed is given twice: {list(self.seeds)}")
        for name in self.probes:
            check_choice("probe", name, ["all", *PROBES])
        if len(self.primary) > MOST_PRIMARY:
            raise ValueError(
                f"a study declares at most {MOST_PRIMARY} primary comparisons, got "
                f"{len(self.primary)}: with more of them none could be told apart"
            )
        for condition, score in self.comparisons:
            check_choice("condition of a primary comparison", condition, list(self.conditions)[1:])
            check_choice("score of a primary comparison", score, SCORES)

    def jobs(self, out: Path) -> list[Job]:
        """One run for each condition and seed, in `out/<condition>/seed-<seed>`.

        Raises ValueError where a condition asks for what does not exist.
        """
        probes = tuple(PROBES) if "all" in self.probes else self.probes
        jobs = []
        for folder, (condition, seed) in self.folders(out).items():
            config = _config(condition, {**self.base, **self.conditions[condition]}, seed)
            own = (world_module(registered_world(config.world)), self.module)
            modules = tuple(dict.fromkeys(one for one in own if one is not None))
            jobs.append(Job(condition, config, folder, probes, modules))
        return jobs

    def folders(self, out: Path) -> dict[Path, tuple[str, int]]:
        """The run folder of each condition and seed.

        Raises ValueError where two conditions would share one.
        """
        found: dict[Path, tuple[str, int]] = {}
        for condition in self.conditions:
            for seed in self.seeds:  # in a row: they share a world, and its tables
                folder = out / _file_name(condition) / f"seed-{seed}"
                if folder in found:
                    raise ValueError(
                        f"conditions {found[folder][0]!r} and {condition!r} would share "
                        f"{folder}, expected names that differ in letters or digits"
                    )
                found[folder] = condition, seed
        return found


def load_study(name: str) -> Study:
    """The study in a file (`.py` with a `STUDY`, or `.toml`), or one that ships, by name.

    Raises ValueError naming the nearest study, or what is wrong with the file.
    """
    if name in shipped_studies():
        return _from_python(SHIPPED / f"{name}.py")
    path = Path(name)
    if path.suffix not in (".py", ".toml"):
        raise unknown_name_error("study", name, shipped_studies())
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    return _from_python(path) if path.suffix == ".py" else _from_toml(path)


def shipped_studies() -> list[str]:
    """Names of the studies in `analysis/studies/shipped/`."""
    return module_names("myopia.analysis.studies.shipped")


def _config(condition: str, words: Mapping[str, Any], seed: int) -> RunConfig:
    where = f"condition {condition!r}"
    if "world" not in words:
        raise ValueError(f"{where}: world=... is missing")
    try:
        world = specs.convert(words["world"], str, "world")
        rest = {name: value for name, value in words.items() if name != "world"}
        return RunConfig.of(world, **{**rest, "seed": seed})
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _file_name(condition: str) -> str:
    name = re.sub(r"[^A-Za-z0-9.=_]+", "-", condition).strip("-.")
    if not name:
        raise ValueError(f"condition {condition!r}: expected a name with letters or digits")
    if len(name) > MOST_LETTERS or name in ("study.json", "index.html"):
        raise ValueError(
            f"condition {condition[:40]!r}: expected another name of at most {MOST_LETTERS} letters"
        )
    return name


def _from_python(path: Path) -> Study:
    shipped = path.parent == SHIPPED
    # under its own name where that is free: workers import a world that it defines by that name
    name = f"myopia_study_{path.stem}"
    if not shipped and path.stem.isidentifier() and importlib.util.find_spec(path.stem) is None:
        name = path.stem
    module_spec = importlib.util.spec_from_file_location(name, path)
    assert module_spec is not None
    assert module_spec.loader is not None
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[name] = module
    try:
        with neighbours(path.parent):
            module_spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever a stranger's file does wrong is bad input
        del sys.modules[name]
        raise ValueError(f"{path}: {type(error).__name__}: {first_line(error)}") from error
    study = getattr(module, "STUDY", None)
    if not isinstance(study, Study):
        raise ValueError(f"{path}: expected a Study named STUDY in it")
    if name == path.stem:
        object.__setattr__(study, "module", (name, str(path.parent.resolve())))
    return study


def _from_toml(path: Path) -> Study:
    try:
        values = tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: expected TOML, but {first_line(error)}") from None
    try:
        study = study_of(values)
        for words in (study.base, *study.conditions.values()):
            if ":" in str(words.get("world")):  # a file of data may not say what is imported
                registered_world(specs.convert(words["world"], str, "world"))
        return study
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def study_of(values: Mapping[str, Any]) -> Study:
    """The study that a file of data holds. Raises ValueError naming the entry that is wrong."""
    fields = [field.name for field in dataclasses.fields(Study)]
    for name in values:
        check_choice("entry", name, fields)
    for name in ("title", "base", "conditions", "seeds"):
        if name not in values:
            raise ValueError(f"{name} is missing")
    study = Study(
        title=specs.convert(values["title"], str, "title"),
        base=_table("base", values["base"]),
        conditions={
            name: _table(f"conditions.{name}", changes)
            for name, changes in _table("conditions", values["conditions"]).items()
        },
        seeds=specs.convert(values["seeds"], tuple[int, ...], "seeds"),
        probes=specs.convert(values.get("probes", ()), tuple[str, ...], "probes"),
        primary=specs.convert(values.get("primary", ()), tuple[str, ...], "primary"),
    )
    return study


def _table(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name}: expected a table, got {value!r}")
    return value
