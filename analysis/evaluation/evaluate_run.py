"""The agent in a run folder, judged in the world that it was trained in: `evaluation.json`."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from myopia.agents.policies.agent import Agent
from myopia.agents.runs.run import RunConfig, check_run_links
from myopia.analysis.evaluation.context import Objective
from myopia.analysis.evaluation.evaluation import (
    Evaluation,
    evaluate_agent,
    is_current,
)
from myopia.analysis.evaluation.shape import check_entries
from myopia.analysis.evaluation.snapshots import learning_curve
from myopia.analysis.probes.probe import run_probes
from myopia.common.files import read_object, rewrite_json
from myopia.common.search_path import safe_imports

logger = logging.getLogger(__name__)

ProbeResults = Mapping[str, Mapping[str, Evaluation]]
"""Probe -> label of the changed world -> the agent judged there."""


@safe_imports()
def evaluate_run(folder: str | Path, probes: str | None = None) -> tuple[Evaluation, ProbeResults]:
    """Write `evaluation.json`, with the learning curve and the results of `probes`.

    What earlier evaluations of the run asked of other probes is kept, where they were made by the
    same definitions. Raises ValueError where the folder is no finished run.
    """
    folder = Path(folder)
    check_run_links(folder)
    config = RunConfig.read(folder)
    return evaluate_loaded(folder, config, Agent.load(folder, config=config), probes)


def evaluate_loaded(
    folder: Path, config: RunConfig, agent: Agent, probes: str | None
) -> tuple[Evaluation, ProbeResults]:
    """`evaluate_run` of a folder whose config and agent are loaded already."""
    world = agent.world
    evaluation = evaluate_agent(world, agent, folder.name, objective=objective_of(config))
    answers = {} if probes is None else run_probes(world, agent, probes)
    told = {**_earlier(folder), **as_json(answers)}
    entries = {**evaluation.json(), "learning": learning_curve(folder, config)}
    try:
        rewrite_json(folder / "evaluation.json", {**entries, "probes": told} if told else entries)
    except OSError as error:  # a read-only disk: what was measured can be told all the same
        logger.warning("%s is not kept: %s", folder / "evaluation.json", error.strerror)
    return evaluation, answers


def objective_of(config: RunConfig) -> Objective:
    """What a run asked its learner to maximise."""
    settings, credit = config.settings, config.credit_mode
    return Objective(credit.delta, getattr(settings, "gamma", 1.0), memory=settings.recurrent)


def as_json(answers: ProbeResults) -> dict[str, dict[str, Any]]:
    """Plain types."""
    return {
        name: {label: one.json() for label, one in changed.items()}
        for name, changed in answers.items()
    }


def _earlier(folder: Path) -> dict[str, Any]:
    try:
        entries = read_object(folder / "evaluation.json")
        if not is_current(entries):
            return {}
        check_entries(entries, folder / "evaluation.json")
        return dict(entries.get("probes") or {})
    except ValueError:  # none yet, or a damaged one that is about to be replaced
        return {}
