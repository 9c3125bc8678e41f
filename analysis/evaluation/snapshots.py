"""What an agent was like while it learned: its snapshots, judged."""

from pathlib import Path
from typing import Any

from myopia.agents.policies.agent import iter_snapshots
from myopia.agents.runs.run import RunConfig
from myopia.analysis.evaluation.context import EvaluationContext
from myopia.analysis.exact.policies import agent_policy
from myopia.analysis.measures.conflict import conflict
from myopia.analysis.measures.returns import competence, returns
from myopia.analysis.report.scores import SCORES
from myopia.analysis.sampled.lifetimes import Remembering

SHOWN = {name: SCORES[name] for name in ("return", "competence", "ahead")}


def learning_curve(folder: Path, config: RunConfig) -> dict[str, list[Any]] | None:
    """`steps`, and at each the return, competence and share of choices that look ahead.

    `config` is that of the run in `folder`. None for an agent with memory: every snapshot of it
    would have to be sampled.
    """
    world = config.make_world()
    steps, rows = [], []
    for after, agent in iter_snapshots(folder, config):
        if isinstance(agent, Remembering):
            return None
        steps.append(after)
        context = EvaluationContext(world, agent_policy(world, agent))
        rows.append(returns(context) | competence(context) | conflict(context))
    curves = {name: [score.of(row) for row in rows] for name, score in SHOWN.items()}
    return {"steps": steps, **curves}
