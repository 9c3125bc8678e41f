"""The agent in a run folder, judged in the world that it was trained in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from myopia.agents.agent import Agent
from myopia.agents.files import write_json
from myopia.agents.run import RunConfig
from myopia.analysis.evaluation import evaluate_agent
from myopia.analysis.probe import ask


def judge_run(folder: Path, probes: Sequence[str] = ()) -> dict[str, Any]:
    """Write `evaluation.json`, the probes' answers in it, and return its entries.

    Raises ValueError where the folder is no finished run.
    """
    world, agent = RunConfig.read(folder).make_world(), Agent.load(folder)
    entries = evaluate_agent(world, agent, folder.name).json()
    if probes:
        answers = ask(world, agent, ",".join(probes))
        entries["probes"] = {
            name: {label: one.json() for label, one in changed.items()}
            for name, changed in answers.items()
        }
    write_json(folder / "evaluation.json", entries)
    return entries
