"""Train toy models of superposition.

Figure, table and JSON.
The floors that theory proves are checked after every training and printed.

Example: myopia toy pentagon --out runs/pentagon
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

PLACE = 100
"""Where it stands in the overview."""


@dataclass(frozen=True)
class Options:
    """Options of `myopia toy`."""

    experiment: Annotated[str, tyro.conf.Positional] = "list"
    """Which experiment; `list` prints them."""
    out: Path | None = None
    """Folder for figure.png, table.txt and result.json (default: runs/toy-EXPERIMENT)."""
    steps: int | None = None
    """Training steps, instead of the experiment's own."""
    seed: int = 0
    """Seed of the weights and of the data."""
    device: str = "cpu"
    """Where to train: cpu or cuda."""
    json: bool = False
    """Print JSON instead of tables."""


def run(options: Options) -> int:
    """Run one experiment."""
    import torch

    from myopia.common.errors import unknown_name_error
    from myopia.common.files import write_text
    from myopia.common.links import check_default
    from myopia.superposition.output import answer_text, text_table, to_json, write_figure
    from myopia.superposition.toy.experiments.experiment import EXPERIMENTS
    from myopia.superposition.toy.lower_bounds import broken

    if options.experiment == "list":
        questions = {one.name: one.question for one in EXPERIMENTS.values()}
        listed = "\n".join(f"{name:<14}  {question}" for name, question in questions.items())
        print(to_json(questions) if options.json else listed)
        return 0
    if options.experiment not in EXPERIMENTS:
        raise unknown_name_error("experiment", options.experiment, EXPERIMENTS)
    if options.device != "cpu" and not torch.cuda.is_available():
        raise ValueError(f"--device {options.device!r} needs CUDA, which is not here: use cpu")
    torch.set_num_threads(1)
    experiment = EXPERIMENTS[options.experiment]
    out = options.out or check_default(Path("runs") / f"toy-{experiment.name}")
    training = dataclasses.replace(experiment.training, seed=options.seed, device=options.device)
    if options.steps is not None:
        training = dataclasses.replace(training, steps=options.steps)
    result = experiment.run(training)
    bad = broken(result.lower_bounds)
    whole = {
        "experiment": experiment.name,
        "training": dataclasses.asdict(training),
        "answer": result.answer,
        "floors": {
            "checked": len(result.lower_bounds),
            "broken": [vars(lower_bound) for lower_bound in bad],
        },
        "rows": result.rows,
    }
    table = text_table(
        [{k: v for k, v in row.items() if not isinstance(v, list)} for row in result.rows]
    )
    lower_bounds = f"{len(result.lower_bounds)} floors checked, {len(bad)} broken"
    answers = answer_text(result.answer)
    text = "\n\n".join(
        [experiment.question, table, answers, lower_bounds, text_table(list(map(vars, bad)))]
    )
    print(to_json(whole) if options.json else text.rstrip())
    write_text(out / "result.json", to_json(whole))
    write_text(out / "table.txt", text.rstrip() + "\n")
    write_figure(out / "figure.png", result.figure)
    if not options.json:
        print(f"\nwritten to {out}: result.json, table.txt, figure.png")
    return 0
