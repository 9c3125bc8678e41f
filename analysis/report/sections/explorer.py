"""The interactive part: the displayed index is moved, and the agent's choices with it."""

from typing import Any

import numpy as np
from markupsafe import Markup

from myopia.agents.policies.agent import Agent
from myopia.analysis.exact.occupancy import occupancy
from myopia.analysis.exact.policies import agent_policy
from myopia.analysis.report.results import Results, Run
from myopia.analysis.report.section import fill, section
from myopia.envs.observer import observer_of
from myopia.envs.registry import registered_world
from myopia.envs.world import World

MOST = 16
"""States shown of each agent: those where it would act most often."""


@section(place=30, title="What does the displayed index do?")
def explorer(results: Results) -> Markup | None:
    """A slider for the displayed index, and the action probabilities that the agent then has.

    For exactly judged agents only: one with memory has no probabilities apart from its history.
    For worlds that are known only: those of somebody's own are named, with how to bring them.
    """
    agents, unknown = [], {}
    for name, runs in results.conditions.items():
        for run in runs:
            if run.evaluation["method"] != "exact":
                continue
            try:
                registered_world(run.config.world)
            except ValueError as error:
                unknown[name] = str(error)
                continue
            agents.append({"condition": name, "seed": run.config.seed, **choices(run)})
    return fill("explorer", agents=agents, unknown=unknown) if agents or unknown else None


def choices(run: Run) -> dict[str, Any]:
    """What the agent of a run does, by displayed index 0..K, where it would be most often.

    `states`: a label, and the expected visits of a lifetime that is not cut short by shutdown;
    `probabilities` [index][state][action].
    """
    agent = Agent.load(run.folder, config=run.config)
    world = agent.world
    visits = occupancy(world, _kept_alive(agent_policy(world, agent))).visits.sum(axis=0)  # (T, S)
    most = np.argsort(-visits.ravel(), kind="stable")[:MOST]
    most = most[visits.ravel()[most] > 0]
    most = most[np.argsort(most // world.tables.num_states, kind="stable")]  # step by step
    # the cell (epoch 0, t, s): the index shown is put in place of its epoch
    shown = [
        agent(observer_of(world).encode(most, np.full(len(most), index)))
        for index in range(world.max_epochs + 1)
    ]
    return {
        "actions": world.actions,
        "cutoff": world.cutoff,
        "states": [
            {"label": _label(world, int(cell)), "visits": round(float(visits.ravel()[cell]), 4)}
            for cell in most
        ],
        "probabilities": np.round(shown, 4).tolist(),
    }


def _kept_alive(policy: np.ndarray) -> np.ndarray:
    """The policy (K, T, S, A) over the actions that go on; uniform where it has none of them."""
    others = policy[..., :-1] + 1e-12
    alive = np.zeros_like(policy)
    alive[..., :-1] = others / others.sum(axis=-1, keepdims=True)
    return alive


def _label(world: World, cell: int) -> str:
    step, state = divmod(cell, world.tables.num_states)
    told = world.task.describe_state(world.tables.states[state])
    return f"{told}, step {step}" if told else f"step {step}"
