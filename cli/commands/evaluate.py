"""Measure an agent, exactly where the world has tables.

A run folder, a folder of them, or a reference policy in a world.

Example: myopia evaluate runs/first
Example: myopia evaluate runs/first --probe all
Example: myopia evaluate runs/many --json
Example: myopia evaluate stop-at:3 Investment gain=1 --json
Example: myopia evaluate random Work --lifetimes 2000
Example: myopia evaluate my_agent:probabilities Investment
Example: myopia evaluate agent.zip Investment --algo ppo
"""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from myopia.cli.shared import dials_from, one_thread, print_json, print_table
from myopia.common.show import show

PLACE = 30
"""Where it stands in the overview."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What `myopia evaluate` is asked."""

    subject: Annotated[str, tyro.conf.Positional]
    """A run folder, or a folder of them; or random, myopic, lifetime, oracle:delta=D,beta=B,
    stop-at:K, always:NAME, quasi:b=B, lookahead:N; or a zip of Stable-Baselines3, with --algo; or
    module:function, from observations (n, D) to action probabilities (n, A)."""
    world: Annotated[str | None, tyro.conf.Positional] = None
    """The world of a policy, a zip or a function; its dials as key=value beside it."""
    algo: str | None = None
    """The algorithm of a zip, such as ppo (myopia algos lists them)."""
    trust: bool = False
    """Let Stable-Baselines3's own loader open a zip: it runs whatever its author put there."""
    vecnormalize: Path | None = None
    """The file that VecNormalize.save wrote beside a zip: what the agent sees goes through it."""
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
    if _several(options):
        return _evaluate_runs(options)
    evaluation, probes = _evaluate(options)
    entries = evaluation.json()
    if options.json:
        if options.probe is not None:
            from myopia.analysis.evaluation.evaluate_run import as_json

            entries["probes"] = as_json(probes)
        print_json(entries)
        return 0
    from myopia.analysis.measures.measure import in_words
    from myopia.analysis.report.verdict import verdict

    print(f"{evaluation.policy} in {evaluation.world} ({evaluation.method})")
    print_table(in_words(entries, evaluation.intervals))
    print(verdict([entries]))
    for name, reason in evaluation.reasons.items():
        print(f"  - {name}: {reason}")
    for name, answers in probes.items():
        _print_probe(name, {"as trained": evaluation, **answers})
    return 0


def _several(options: Options) -> bool:
    """Whether the subject is a folder of run folders."""
    folder = Path(options.subject)
    return folder.is_dir() and not (folder / "config.json").exists() and _holds_runs(folder)


def _holds_runs(folder: Path) -> bool:
    return any(True for depth in ("*", "*/*") for _ in folder.glob(f"{depth}/config.json"))


def _evaluate_runs(options: Options) -> int:
    """All of them, a line for each, and what they say together."""
    from myopia.analysis.report.evaluate_runs import evaluate_runs
    from myopia.analysis.report.verdict import headline, verdict

    alone = ("world", "algo", "trust", "vecnormalize", "greedy", "lifetimes", "dials")
    for name in alone:
        if getattr(options, name):
            raise ValueError(
                f"{options.subject} holds several runs, each judged as it was trained: expected no "
                f"{name.replace('_', '-')}, got {getattr(options, name)!r}"
            )
    one_thread()
    results = evaluate_runs(options.subject, options.probe)
    table = results.table
    if options.json:
        print_json(
            {
                "conditions": {
                    name: {
                        "verdict": verdict(seeds),
                        "runs": [
                            {"run": str(run.folder), "class": entries["class"]}
                            for run, entries in zip(results.conditions[name], seeds, strict=True)
                        ],
                    }
                    for name, seeds in table.items()
                },
                "missing": list(results.missing),
            }
        )
        return 0
    for name, seeds in table.items():
        print(f"{name}: {headline(seeds)}")
        for run, entries in zip(results.conditions[name], seeds, strict=True):
            kind, stop = entries["class"]["kind"], entries["class"]["stop"]
            told = f"{kind}, {stop}" if stop else kind
            print(f"  {run.folder}: {told}, return {show(entries['return'])}")
        print(f"  {verdict(seeds)}")
    for one in results.missing:
        print(f"left out: {one}")
    return 0


def _print_probe(name: str, answers: dict) -> None:
    from myopia.analysis.probes.probe import PROBES

    question = (PROBES[name].__doc__ or "").split("\n")[0]
    print(f"\n{name}: {question}")
    heads = ("return", "stop", "overrun", "farsighted", "adapts")
    print(f"  {'':<24}" + "".join(f"{head:>12}" for head in heads))
    for label, one in answers.items():
        entries = one.json()
        invest = entries["conflict"]["invest"]
        overrun, ahead = entries["stop"]["overrun"], invest and invest["farsighted"]
        row = (entries["return"], entries["stop"]["mean"], overrun, ahead, entries.get("adapts"))
        cells = ("-" if value is None else f"{value:.3f}" for value in row)
        print(f"  {label:<24}" + "".join(f"{cell:>12}" for cell in cells))


def _evaluate(options: Options):
    from myopia.analysis.evaluation.open_subject import evaluate_subject

    one_thread()
    return evaluate_subject(
        options.subject,
        options.world,
        algo=options.algo,
        trust=options.trust,
        vecnormalize=options.vecnormalize,
        greedy=options.greedy,
        lifetimes=options.lifetimes,
        probes=options.probe,
        dials=dials_from(options.dials),
    )
