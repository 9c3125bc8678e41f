"""What can be evaluated, and how each kind of it is opened: one place for Python and the command.

A subject is a run folder, a zip of Stable-Baselines3, a model or a policy of it, a torch module, a
function of observations, a table of probabilities, or a reference policy by name.
"""

import dataclasses
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy

from myopia.agents.algorithms.base import ALGORITHMS
from myopia.agents.policies.agent import Agent, agent_of, check_spaces
from myopia.agents.policies.sb3_zip import load_sb3_zip
from myopia.agents.runs.run import RunConfig, check_run_links
from myopia.analysis.evaluation.evaluate_run import ProbeResults, evaluate_loaded
from myopia.analysis.evaluation.evaluation import (
    Evaluation,
    evaluate,
    evaluate_agent,
    evaluate_sampled,
)
from myopia.analysis.exact.policies import REFERENCES, check_probabilities, reference_policy
from myopia.analysis.probes.probe import run_probes
from myopia.analysis.sampled.lifetimes import Remembering, acting, from_table
from myopia.common.errors import first_line
from myopia.common.search_path import import_named, safe_imports
from myopia.envs import World, make_world
from myopia.envs.observer import observation_names
from myopia.envs.task import Task


@dataclasses.dataclass(frozen=True)
class Subject:
    """A subject that was opened: exactly one of `agent` and `table` is there.

    `agent` maps observations (n, D) to action probabilities (n, A), or has a memory (`step`);
    `table` holds probabilities (K, T, S, A). `run` and `config` are those of a run folder whose
    agent is as it was trained, in the world that it was trained in.
    """

    name: str
    world: World
    agent: Any = None
    table: np.ndarray | None = None
    run: Path | None = None
    config: RunConfig | None = None


@safe_imports()
def evaluate_subject(
    subject: Any,
    world: str | type[Task] | World | None = None,
    *,
    algo: str | None = None,
    trust: bool = False,
    vecnormalize: str | os.PathLike | None = None,
    greedy: bool = False,
    lifetimes: int | None = None,
    probes: str | Sequence[str] | None = None,
    dials: Mapping[str, Any] | None = None,
) -> tuple[Evaluation, ProbeResults]:
    """Evaluate anything that acts: exactly, where it acts on what it observes; else by sampling.

    Args:
        subject: a run folder or a zip (a path, as text or `Path`), an SB3 model or policy, a torch
            module (observations (n, D) to logits (n, A)), a function from observations (n, D) to
            action probabilities (n, A), a table of them (K, T, S, A), or the name of a reference
            policy.
        world: the world of all but a run folder: a name, a task or a `World`.
        algo: the algorithm of a zip.
        trust: let SB3's own loader open a zip; it runs whatever its author put there.
        vecnormalize: the file that `VecNormalize.save` wrote beside a zip.
        greedy: take a trained agent's best action, not the probabilities that it samples from.
        lifetimes: live so many lifetimes, with intervals, instead of exactly.
        probes: "all", or names of changed worlds in which to evaluate as well.
        dials: of the world; on a run folder they replace those it was trained with.

    Returns:
        The evaluation; and by probe and label the evaluation in each changed world. That of a run
        folder, as it was trained, is kept there as `evaluation.json`.

    Raises:
        ValueError: naming the subject, for what cannot be opened or gives no probabilities.
    """
    opened = open_subject(
        subject,
        world,
        algo=algo,
        trust=trust,
        vecnormalize=vecnormalize,
        greedy=greedy,
        dials=dials,
    )
    asked = probes if probes is None or isinstance(probes, str) else ",".join(probes)
    if opened.run is not None and opened.config is not None and lifetimes is None:
        return evaluate_loaded(opened.run, opened.config, opened.agent, asked)
    if opened.table is not None:
        if asked is not None:
            raise ValueError(
                f"probes change what an agent sees, but {opened.name!r} is a table over the true "
                "epoch; expected a run folder or a function"
            )
        if lifetimes is None:
            return evaluate(opened.world, opened.table, opened.name), {}
        act = from_table(opened.table)
        return evaluate_sampled(opened.world, act, opened.name, lifetimes), {}
    answers = {} if asked is None else run_probes(opened.world, opened.agent, asked)
    if lifetimes is None:
        return evaluate_agent(opened.world, opened.agent, opened.name), answers
    return evaluate_sampled(opened.world, acting(opened.agent), opened.name, lifetimes), answers


@safe_imports()
def open_subject(
    subject: Any,
    world: str | type[Task] | World | None = None,
    *,
    algo: str | None = None,
    trust: bool = False,
    vecnormalize: str | os.PathLike | None = None,
    greedy: bool = False,
    dials: Mapping[str, Any] | None = None,
) -> Subject:
    """Open what `evaluate_subject` evaluates; its words. Raises ValueError where it cannot be."""
    dials = dials or {}
    if isinstance(subject, str | os.PathLike):
        of_zip = _ZipSettings(algo, trust, vecnormalize)
        return _of_text(os.fspath(subject), world, of_zip, greedy, dials)
    if algo is not None or trust or vecnormalize is not None:
        raise ValueError(f"algo, trust and vecnormalize are for a zip, got {_named(subject)}")
    name = _named(subject)
    where = _world(name, world, dials)
    if isinstance(subject, np.ndarray):
        return Subject(name, where, table=subject)
    agent = _agent(subject, where, name)
    if greedy:
        _take_best(agent, name)
    return Subject(name, where, agent=agent)


class _ZipSettings(NamedTuple):
    """What is said of a zip, and of nothing else."""

    algo: str | None
    trust: bool
    vecnormalize: str | os.PathLike | None

    @property
    def given(self) -> bool:
        return self.algo is not None or self.trust or self.vecnormalize is not None


def _of_text(
    text: str, world: Any, of_zip: _ZipSettings, greedy: bool, dials: Mapping[str, Any]
) -> Subject:
    path, kind = Path(text), text.partition(":")[0]
    if path.is_dir() and not of_zip.given:
        return _of_folder(path, world, greedy, dials)
    if path.suffix == ".zip" or of_zip.given or _is_zip(path):
        return _of_zip(path, world, of_zip, greedy, dials)
    if greedy:
        raise ValueError(f"--greedy is for a trained agent, got {text!r}")
    if kind in REFERENCES:
        where = _world(text, world, dials)
        return Subject(text, where, table=reference_policy(where, text))
    if ":" in text:
        where = _world(text, world, dials)
        return Subject(path.name, where, agent=_told(_imported(text), repr(text), where))
    if path.suffix or len(path.parts) > 1:
        raise ValueError(f"there is no {text!r}: expected a run folder or a zip")
    raise ValueError(
        f"{text!r} is neither a run folder, nor one of the policies "
        f"{', '.join(REFERENCES)}, nor module:function"
    )


def _of_folder(folder: Path, world: Any, greedy: bool, dials: Mapping[str, Any]) -> Subject:
    if world is not None:
        raise ValueError(
            f"a run folder brings its own world, got {world!r} as well; "
            "expected dials only, as in: channel=severed"
        )
    within = sorted(path.parent.name for path in folder.glob("*/config.json"))
    if within and not (folder / "config.json").exists():
        raise ValueError(
            f"{folder} is no run folder, but holds {len(within)} of them: expected one, such as "
            f"{folder / within[0]}, or myopia report {folder} on evaluated ones"
        )
    config = RunConfig.read(folder)
    trained_in = config.make_world()
    changed = trained_in.replace(**dials)
    before, now = observation_names(trained_in), observation_names(changed)
    if now != before:
        given = " ".join(f"{name}={value}" for name, value in dials.items())
        raise ValueError(
            f"{given} changes what is observed, from {len(before)} entries to {len(now)}; "
            "expected dials that leave the agent's inputs as they were"
        )
    if changed.actions != trained_in.actions:
        before, now = (", ".join(one.actions) for one in (trained_in, changed))
        raise ValueError(
            f"shutdown={changed.shutdown} changes the actions, from {before} to {now}; expected "
            "dials that leave them as they were"
        )
    agent = Agent.load(folder, config=config)
    agent.greedy = greedy
    if dials or greedy:
        return Subject(folder.name, changed, agent=agent)
    check_run_links(folder)
    return Subject(folder.name, changed, agent=agent, run=folder, config=config)


def _is_zip(path: Path) -> bool:
    """Whether a file is a zip, whatever it is called."""
    return path.is_file() and zipfile.is_zipfile(path)


def _of_zip(
    path: Path, world: Any, of_zip: _ZipSettings, greedy: bool, dials: Mapping[str, Any]
) -> Subject:
    saved = path.with_name(f"{path.name}.zip")
    if not path.exists() and _is_zip(saved):  # SB3's save adds the suffix by itself
        path = saved
    if path.suffix != ".zip" and not _is_zip(path):
        raise ValueError(
            f"--algo, --trust and --vecnormalize are for a zip, got {str(path)!r}; "
            f"as in: myopia evaluate {path.with_suffix('.zip')} Investment --algo ppo"
        )
    if world is None or of_zip.algo is None:
        raise ValueError(
            f"{path} needs the world and the algorithm it is of, as in: myopia evaluate {path} "
            "Investment --algo ppo"
        )
    where = _world(str(path), world, dials)
    statistics = None if of_zip.vecnormalize is None else Path(of_zip.vecnormalize)
    agent = load_sb3_zip(path, of_zip.algo, where, of_zip.trust, statistics)
    agent.greedy = greedy
    return Subject(path.name, where, agent=agent)


def _world(name: str, world: Any, dials: Mapping[str, Any]) -> World:
    if world is None:
        raise ValueError(
            f"policy {name!r} needs a world beside it, as in: myopia evaluate {name} Investment"
        )
    if isinstance(world, World):
        return world.replace(**dials)
    if not isinstance(world, str | type):
        raise ValueError(
            f"{name}: expected a world by name, as a task class or a World, got {world}; an env "
            "with epochs is measured by myopia.analysis.evaluate_env"
        )
    return make_world(world, **dials)


def _agent(subject: Any, world: World, name: str) -> Any:
    if isinstance(subject, Agent | Remembering):
        return subject
    if isinstance(subject, BaseAlgorithm):
        subject = subject.policy
    if isinstance(subject, BasePolicy):
        return _of_policy(subject, world, name)
    if isinstance(subject, torch.nn.Module):
        return _told(_of_module(subject), name, world)
    if not callable(subject):
        raise ValueError(
            f"{name} cannot be evaluated, expected a run folder, a zip, a model or policy of "
            "Stable-Baselines3, a torch module, a function or a table of probabilities"
        )
    return _told(subject, name, world)


def _of_policy(policy: BasePolicy, world: World, name: str) -> Agent:
    """SB3's policy as an agent, by the settings of the algorithm whose kind of policy it is."""
    for kind in type(policy).__mro__:
        for settings in ALGORITHMS.values():
            if settings.policy_class is not kind:
                continue
            check_spaces(policy, world, name)
            policy.set_training_mode(False)
            return agent_of(policy, settings(), world)
    known = ", ".join(sorted({one.policy_class.__name__ for one in ALGORITHMS.values()}))
    raise ValueError(f"{name} has a policy of another kind, expected one of {known}")


def _of_module(module: torch.nn.Module) -> Callable[[np.ndarray], np.ndarray]:
    """The module's outputs through a softmax."""
    parameter = next(module.parameters(), torch.zeros(0))

    def probabilities(observations: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            given = torch.as_tensor(observations, device=parameter.device, dtype=parameter.dtype)
            return module(given).softmax(dim=-1).double().cpu().numpy()

    return probabilities


def _take_best(agent: Any, name: str) -> None:
    if not isinstance(agent, Agent):
        raise ValueError(f"greedy is for a trained agent, got {name}")
    agent.greedy = True


def _imported(path: str) -> Any:
    """The function that `module:function` names."""
    name, _, attribute = path.partition(":")
    try:
        found = getattr(import_named(name), attribute)
    except (Exception, SystemExit) as error:  # whatever the file does wrong
        what = "it exits" if isinstance(error, SystemExit) else first_line(error)
        raise ValueError(
            f"{path!r} is neither a run folder, nor a known policy, nor a function that can be "
            f"imported: {what}"
        ) from None
    if not callable(found):
        raise ValueError(f"{path!r}: expected a function, got {type(found).__name__}")
    return found


def _told(function: Any, name: str, world: World) -> Any:
    """The function; what it raises, and what is no probabilities, is told in a sentence."""
    if isinstance(function, Remembering):
        return function

    def told(observations: np.ndarray) -> np.ndarray:
        try:
            given = function(observations)
            if isinstance(given, torch.Tensor):
                given = given.detach().cpu()
            rows = np.asarray(given)
            if rows.dtype.kind not in "fiub":
                raise TypeError(f"it returned {rows.dtype}, expected an array of numbers")
            rows = rows.astype(np.float64)
        except (Exception, SystemExit) as error:  # whatever it does wrong
            raise ValueError(
                f"{name}, called with observations {observations.shape}, raised "
                f"{type(error).__name__}: {first_line(error)}"
            ) from error
        try:
            check_probabilities(rows, (len(observations), len(world.actions)))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        return rows

    return told


def _named(subject: Any) -> str:
    if isinstance(subject, np.ndarray):
        return f"table of shape {subject.shape}"
    own = getattr(subject, "__name__", None)
    return own if isinstance(own, str) else type(subject).__name__
