"""Measure an agent: a run folder, or a reference policy in a world.

Example: myopia evaluate runs/first
Example: myopia evaluate runs/first --probe all
Example: myopia evaluate stop-at:3 Investment gain=1 --json
Example: myopia evaluate random Work --lifetimes 2000
Example: myopia evaluate my_agent:probabilities Investment
Example: myopia evaluate agent.zip Investment --algo ppo
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import tyro

from myopia.cli.shared import dials_from, one_thread, print_json, print_table, show, world_from
from myopia.common.search_path import import_named
from myopia.envs import World

Agent = Callable[[Any], Any]
"""From observations to action probabilities."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What `myopia evaluate` is asked."""

    subject: Annotated[str, tyro.conf.Positional]
    """A run folder; or random, myopic, lifetime, oracle:delta=D,beta=B, stop-at:K, always:NAME; or
    a zip of Stable-Baselines3, with --algo; or module:function, from observations (n, D) to action
    probabilities (n, A)."""
    world: Annotated[str | None, tyro.conf.Positional] = None
    """The world of a policy, a zip or a function; its dials as key=value beside it."""
    algo: str | None = None
    """The algorithm of a zip: ppo, a2c, dqn, qrdqn, maskableppo or recurrentppo."""
    trust: bool = False
    """Let Stable-Baselines3's own loader open a zip: it runs whatever its author put there."""
    greedy: bool = False
    """Judge a trained agent by its best actions, not by the probabilities it samples from."""
    probe: str | None = None
    """Judge the agent in changed worlds, too: all, or names separated by commas."""
    lifetimes: int | None = None
    """Judge by living so many lifetimes, with intervals, instead of exactly."""
    world_module: str | None = None
    """Your own module of the world, such as factory: what a folder names is not run by itself."""
    json: bool = False
    """Print JSON."""
    dials: tyro.conf.Suppress[tuple[str, ...]] = ()
    """The key=value tokens; on a run folder they replace those it was trained with."""


def run(options: Options) -> int:
    """Judge, print, and keep the evaluation in the run folder."""
    evaluation, probes = _evaluate(options)
    entries = evaluation.json()
    if options.json:
        if options.probe is not None:
            from myopia.analysis.evaluation.evaluate_run import as_json

            entries["probes"] = as_json(probes)
        print_json(entries)
        return 0
    from myopia.analysis.report.verdict import verdict

    invest, survive = (entries["conflict"][kind] for kind in ("invest", "survive"))
    print(f"{evaluation.policy} in {evaluation.world} ({evaluation.method})")
    sure = evaluation.intervals or {}
    print_table(
        {
            "return": _with(entries["return"], sure.get("return")),
            "lifetime oracle's": entries["lifetime_optimal_return"],
            "myopic oracle's": entries["myopic_return"],
            "regret": _with(entries["regret"], sure.get("regret")),
            "competence": _with(entries["competence"], sure.get("competence")),
            "usefulness": _with(entries["usefulness"], sure.get("usefulness")),
            "mean stop epoch": _with(entries["stop"]["mean"], sure.get("stop", {}).get("mean")),
            "cutoff": entries["cutoff"],
            "overrun": _with(entries["stop"]["overrun"], sure.get("stop", {}).get("overrun")),
            "premature": _with(entries["stop"]["premature"], sure.get("stop", {}).get("premature")),
            "invest conflicts": _shares(invest),
            "survive conflicts": _shares(survive),
            "sacrifice": _with(entries["sacrifice"], sure.get("sacrifice")),
            "payback": _shares(entries["payback"]),
            "delta-hat": _interval(entries["delta"], sure.get("delta")),
            "delta-hat of stopping": _interval(entries["delta_stop"], sure.get("delta_stop")),
            "index leak (nats)": entries["index_leak"],
            "tampering": _shares(entries["tampering"]),
            "P(shutdown) by shown index": _by_index(entries["index_response"]),
        }
    )
    print(verdict([entries]))
    for name, reason in evaluation.reasons.items():
        print(f"  - {name}: {reason}")
    for name, answers in probes.items():
        _print_probe(name, {"as trained": evaluation, **answers})
    return 0


def _print_probe(name: str, answers: dict) -> None:
    from myopia.analysis.probes.registry import PROBES

    question = (PROBES[name].__doc__ or "").split("\n")[0]
    print(f"\n{name}: {question}")
    print(f"  {'':<24}{'return':>12}{'stop':>12}{'overrun':>12}{'farsighted':>12}")
    for label, one in answers.items():
        entries = one.json()
        invest = entries["conflict"]["invest"]
        overrun, ahead = entries["stop"]["overrun"], invest and invest["farsighted"]
        row = (entries["return"], entries["stop"]["mean"], overrun, ahead)
        cells = ("-" if value is None else f"{value:.3f}" for value in row)
        print(f"  {label:<24}" + "".join(f"{cell:>12}" for cell in cells))


def _evaluate(options: Options):
    from myopia.analysis.evaluation.evaluation import evaluate, evaluate_sampled
    from myopia.analysis.exact.policies import REFERENCES, reference_policy
    from myopia.analysis.sampled.lifetimes import from_table

    folder = Path(options.subject)
    kind = options.subject.partition(":")[0]
    zipped = folder.suffix == ".zip" and not folder.is_dir()
    if zipped or options.algo is not None or options.trust:
        return _stranger(options)
    if options.greedy and not folder.is_dir():
        raise ValueError(f"--greedy is for a trained agent, got {options.subject!r}")
    if not folder.is_dir() and (kind in REFERENCES or ":" in options.subject):
        if options.world is None:
            raise ValueError(
                f"policy {options.subject!r} needs a world beside it, as in: "
                f"myopia evaluate {options.subject} Investment"
            )
        world = world_from(options.world, options.dials)
        if kind not in REFERENCES:
            return _judge(world, _function(options.subject), options)
        if options.probe is not None:
            raise ValueError(
                f"probes change what an agent sees, but {options.subject!r} is a table over the "
                "true epoch; expected a run folder or a function"
            )
        policy = reference_policy(world, options.subject)
        if options.lifetimes is None:
            return evaluate(world, policy, options.subject), {}
        act = from_table(policy)
        return evaluate_sampled(world, act, options.subject, options.lifetimes), {}
    if not folder.is_dir():
        raise ValueError(
            f"{options.subject!r} is neither a run folder, nor one of the policies "
            f"{', '.join(REFERENCES)}, nor module:function"
        )
    if options.world is not None:
        raise ValueError(
            f"a run folder brings its own world, got {options.world!r} as well; "
            "expected dials only, as in: channel=severed"
        )
    from myopia.agents.policies.agent import Agent as Trained
    from myopia.agents.runs.run import RunConfig
    from myopia.analysis.evaluation.evaluate_run import judge_run
    from myopia.envs.observer import observation_names

    one_thread()
    within = sorted(path.parent.name for path in folder.glob("*/config.json"))
    if within and not (folder / "config.json").exists():
        raise ValueError(
            f"{folder} is no run folder, but holds {len(within)} of them: expected one, such as "
            f"{folder / within[0]}, or myopia report {folder} on evaluated ones"
        )
    trained_in = RunConfig.read(folder).make_world()
    world = trained_in.replace(**dials_from(options.dials))
    if observation_names(world) != observation_names(trained_in):
        raise ValueError(
            f"{' '.join(options.dials)} changes what is observed, from "
            f"{len(observation_names(trained_in))} entries to {len(observation_names(world))}; "
            "expected dials that leave the agent's inputs as they were"
        )
    if not (options.dials or options.greedy) and options.lifetimes is None:
        return judge_run(folder, options.probe)
    agent = Trained.load(folder)
    agent.greedy = options.greedy
    return _judge(world, agent, options)


def _stranger(options: Options):
    from myopia.agents.policies.sb3_zip import open_stranger

    path = Path(options.subject)
    example = f"as in: myopia evaluate {path.with_suffix('.zip')} Investment --algo ppo"
    if path.suffix != ".zip":
        raise ValueError(f"--algo and --trust are for a zip, got {options.subject!r}; {example}")
    if options.world is None or options.algo is None:
        raise ValueError(f"{path} needs the world and the algorithm it is of, {example}")
    one_thread()
    world = world_from(options.world, options.dials)
    agent = open_stranger(path, options.algo, world, options.trust)
    agent.greedy = options.greedy
    return _judge(world, agent, options)


def _judge(world: World, agent: Agent, options: Options):
    from myopia.analysis.evaluation.evaluation import evaluate_agent, evaluate_sampled
    from myopia.analysis.probes.registry import ask
    from myopia.analysis.sampled.lifetimes import acting

    name = Path(options.subject).name
    probes = {} if options.probe is None else ask(world, agent, options.probe)
    if options.lifetimes is None:
        return evaluate_agent(world, agent, name), probes
    return evaluate_sampled(world, acting(agent), name, options.lifetimes), probes


def _function(path: str) -> Any:
    """The function that `module:function` names; what it raises is told in a sentence."""
    from myopia.analysis.sampled.lifetimes import Remembering

    name, _, attribute = path.partition(":")
    try:
        found = getattr(import_named(name), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"{path!r} is neither a run folder, nor a known policy, nor a function that can be "
            f"imported: {error}"
        ) from None
    if not callable(found):
        raise ValueError(f"{path!r}: expected a function, got {type(found).__name__}")
    if isinstance(found, Remembering):
        return found

    def told(observations: Any) -> Any:
        try:
            return found(observations)
        except Exception as error:
            raise ValueError(
                f"{path!r}, called with observations {observations.shape}, raised "
                f"{type(error).__name__}: {error}"
            ) from error

    return told


def _with(value: float | None, interval: list[float] | None) -> str:
    return show(value) + (f" in [{show(interval[0])}, {show(interval[1])}]" if interval else "")


def _interval(delta: dict, sure: dict | None) -> str:
    """The interval of the fit; of a sampled one widened by that over lifetimes."""
    if not delta["identifiable"]:
        return "not identifiable"
    low, high = delta["low"], delta["high"]
    if sure is not None:
        ends = sure["best"] or (0.0, 1.0)
        low, high = min(low, max(ends[0], 0.0)), max(high, min(ends[1], 1.0))
    if low <= 0 and high >= 1:
        return "not identifiable"
    best = "" if delta["estimate"] is None else f"{delta['estimate']:.3f} "
    return f"{best}in [{low:.3f}, {high:.3f}], β {delta['beta']:.3g}"


def _by_index(rows: list[dict] | None) -> str:
    return show(None if rows is None else [round(row["shutdown"], 3) for row in rows])


def _shares(shares: dict[str, float] | None) -> str:
    if shares is None:
        return "-"
    return ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
