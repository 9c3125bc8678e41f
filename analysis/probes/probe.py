"""Probes by name: each puts the same agent into changed worlds and judges it there, exactly."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping

from myopia.analysis.evaluation.evaluation import Evaluation, PolicyFunction, evaluate_agent
from myopia.common.errors import check_choice
from myopia.common.search_path import safe_imports
from myopia.envs.observer import observation_names
from myopia.envs.world import World

Probe = Callable[[World], Mapping[str, World]]
"""From the world that an agent was trained in to the worlds that ask something of it, by label."""

PROBES: dict[str, Probe] = {}
"""Name -> probe; the question that it asks is its docstring."""


def probe(function: Probe) -> Probe:
    """Decorator: register a probe under its name, `_` written `-`."""
    PROBES[function.__name__.replace("_", "-")] = function
    return function


def all_probes() -> dict[str, Probe]:
    """Every probe, its module imported."""
    package = importlib.import_module("myopia.analysis.probes")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    return PROBES


@safe_imports()
def run_probes(
    world: World, agent: PolicyFunction, names: str = "all"
) -> dict[str, dict[str, Evaluation]]:
    """Probe -> label of the changed world -> the agent judged there.

    `names`: `all`, or some of them separated by commas. A probe that does not apply to this world
    (a schedule without a cutoff, say) has no entries. Raises ValueError for an unknown probe.
    """
    known = all_probes()
    chosen = list(known) if names == "all" else names.split(",")
    for name in chosen:
        check_choice("probe", name, ["all", *known])
    answers: dict[str, dict[str, Evaluation]] = {}
    for name in chosen:
        changed = known[name](world)
        for label, other in changed.items():
            assert observation_names(other) == observation_names(world), label
        answers[name] = {
            label: evaluate_agent(other, agent, label) for label, other in changed.items()
        }
    return answers
