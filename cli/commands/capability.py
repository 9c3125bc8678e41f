"""How much of an agent's capability is interpretable, by its width.

Trains PPO with two hidden layers of each width, several seeds each (about 10 s a run on one CPU
thread at the default 200 000 steps, 60 runs), and reads the last layer of each. Capability of a
state variable: what the agent loses when it is erased at the input, times the R² of a held-out
probe. Interpretable: functional D_i above a threshold or a probe gain above 0.2, and causal; once
with each variable as one column, once as contrasts between its values.
For toy models: myopia toy capability.

Example: myopia capability Investment --out runs/capability
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

PLACE = 90
"""Where it stands in the overview."""


@dataclass(frozen=True)
class Options:
    """Options of `myopia capability`."""

    world: Annotated[str, tyro.conf.Positional] = "Investment"
    """Id or short name; its dials as key=value beside it."""
    widths: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    """Units in each of the two hidden layers."""
    seeds: int = 10
    """Agents of each width."""
    steps: int = 200_000
    """Steps that each is trained for."""
    directions: int = 200
    """Random directions that every shift is set against."""
    out: Path = Path("runs/capability")
    """Folder for the runs (those that are done are not trained again), figure, table and JSON."""
    json: bool = False
    """Print JSON instead of a table."""
    dials: tyro.conf.Suppress[tuple[str, ...]] = ()
    """The key=value tokens."""


def run(options: Options) -> int:
    """Train, measure, print."""
    from myopia.analysis.representations.interpretable import measure, train_widths, variables_of
    from myopia.cli.shared import one_thread, world_from
    from myopia.common.errors import check_at_least
    from myopia.common.files import write_text
    from myopia.superposition.capability import answers, curve, figure
    from myopia.superposition.output import text_table, to_json, write_figure

    check_at_least(options, "--", seeds=1, steps=1, directions=1)
    if min(options.widths, default=0) < 1:
        raise ValueError(f"--widths must be at least 1, got {options.widths}")
    one_thread()
    world = world_from(options.world, options.dials)
    folders = train_widths(world, options.widths, options.seeds, options.steps, options.out)
    measured = {width: measure(own, options.directions) for width, own in folders.items()}
    rows, arrays = [], {}
    for basis in next(iter(measured.values())):
        points = {width: bases[basis] for width, bases in measured.items()}
        rows += curve(f"{world.name}, {basis}", points)
        arrays[basis] = {
            width: {key: value.tolist() for key, value in dataclasses.asdict(point).items()}
            for width, point in points.items()
        }
    variables = variables_of(next(iter(folders.values()))[0])
    whole = {
        "world": world.name,
        "dials": world.dials(),
        "variables": variables,
        "steps": options.steps,
        "answer": answers(rows),
        "rows": rows,
        "measured": arrays,
    }
    shown = [{k: v for k, v in row.items() if " at " not in k} for row in rows]
    told = [f"{question}: {width}" for question, width in whole["answer"].items()]
    text = "\n\n".join([f"variables: {', '.join(variables)}", text_table(shown), "\n".join(told)])
    print(to_json(whole) if options.json else text)
    write_text(options.out / "result.json", to_json(whole))
    write_text(options.out / "table.txt", text + "\n")
    write_figure(options.out / "figure.png", figure(rows))
    return 0
