"""Write one page for each world from its docstring; `--check` fails where a page is stale.

Example: python -m myopia.cli.docs --check
"""

import dataclasses
import inspect
import re
import sys
from pathlib import Path

from myopia.common.files import write_text
from myopia.common.show import show
from myopia.envs import WORLDS, Task, make_world, world_id
from myopia.envs.observer import observation_names

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "worlds"

REWARD = """## Reward
Each step `weight[k] * payoff - upkeep[k]`, k the epoch index. By default `{schedule}`:

| epoch | {epochs} |
|---|{rules}
| weight | {weight} |
| upkeep | {upkeep} |

Shutdown pays `shutdown_reward` ({shutdown_reward})."""

END = """## End
By shutdown, or after the last of {max_epochs} epochs of {epoch_length} steps; both are
`terminated`."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What the pages' generator is asked."""

    check: bool = False
    """Change nothing; exit with 1 where a page is missing or stale."""
    folder: Path = FOLDER
    """Where the pages are."""


def run(options: Options) -> int:
    """Write or check the page of every world that ships."""
    stale = []
    shipped = {n: t for n, t in WORLDS.items() if t.__module__.startswith("myopia.envs.worlds.")}
    for name, task in shipped.items():
        path, text = options.folder / f"{name.lower()}.md", page(task)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.name)
        if not options.check:
            write_text(path, text)
    known = {f"{name.lower()}.md" for name in shipped}
    orphans = [p.name for p in options.folder.glob("*.md") if p.name not in known]
    if options.check and (stale or orphans):
        print(f"docs: stale {stale}, without a world {orphans}; run make docs", file=sys.stderr)
        return 1
    return 0


def page(task: type[Task]) -> str:
    """The documentation page of a world, Markdown."""
    world = make_world(task)
    story, *sections = re.split(r"^### ", inspect.cleandoc(task.__doc__ or ""), flags=re.M)
    weight, upkeep = world.weight_upkeep
    reward = REWARD.format(
        schedule=world.schedule,
        epochs=" | ".join(map(str, range(world.max_epochs))),
        rules="---|" * world.max_epochs,
        weight=" | ".join(map(show, weight.tolist())),
        upkeep=" | ".join(map(show, upkeep.tolist())),
        shutdown_reward=show(world.shutdown_reward),
    )
    end = END.format(max_epochs=world.max_epochs, epoch_length=world.epoch_length)
    before = [s for s in sections if s.startswith(("Actions", "Observation"))]
    start = [s for s in sections if s.startswith("Start")]
    after = [s for s in sections if s not in before + start]
    facts = {
        "id": f"`{world_id(task.__name__)}`",
        "action space": f"`Discrete({len(world.actions)})`: {', '.join(world.actions)}",
        "observation": f"`Box({len(observation_names(world))},)`, float32",
        "states": str(world.tables.num_states),
        "incentives": ", ".join(world.task.incentives) or "none (a control)",
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in facts.items())
    entries = ", ".join(f"`{name}`" for name in observation_names(world))
    parts = [
        f"# {task.__name__}",
        story.strip(),
        f"| | |\n|---|---|\n{table}",
        *(f"## {section.strip()}" for section in before),
        f"Entries of the observation, in order: {entries}.",
        reward,
        *(f"## {section.strip()}" for section in start),
        end,
        *(f"## {section.strip()}" for section in after),
        "Every world also takes the engine's keywords: see [the README](../../README.md#dials).",
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    import tyro

    sys.exit(run(tyro.cli(Options, description=__doc__)))
