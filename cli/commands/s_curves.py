"""Loss curves of multi-component learning.

S-curves, plateaus, and what the optimiser does.
Ranks 1, 2, 10 and full; MSE and cross-entropy; gradient descent and Adam; all seeds at once.

Example: myopia s-curves --seeds 20 --out runs/s-curves
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from myopia.superposition.curves.study import Sweep

PLACE = 110
"""Where it stands in the overview."""


@dataclass(frozen=True)
class Options:
    """Options of `myopia s-curves`."""

    sweep: Annotated[Sweep, tyro.conf.arg(name="")] = field(default_factory=Sweep)
    """What to run."""
    out: Path = Path("runs/s-curves")
    """Folder for the figures, table.txt and result.json."""
    json: bool = False
    """Print JSON instead of tables."""


def run(options: Options) -> int:
    """Sweep, read, answer."""
    import torch

    from myopia.common.files import write_text
    from myopia.superposition.curves import figures
    from myopia.superposition.curves.study import answers, run_all, scales, summary
    from myopia.superposition.output import answer_text, text_table, to_json, write_figure

    if options.sweep.device != "cpu" and not torch.cuda.is_available():
        raise ValueError(
            f"--device {options.sweep.device!r} needs CUDA, which is not here: use cpu"
        )
    torch.set_num_threads(1)
    settings, scale_settings = options.sweep.settings(), scales(options.sweep)
    began = time.perf_counter()
    runs = run_all(settings)
    seconds = time.perf_counter() - began
    rows = [summary(run) for run in runs]
    scaled = [summary(run) for run in run_all(scale_settings)]
    answered = answers(rows, scaled)
    parts = [
        text_table([{k: v for k, v in row.items() if not isinstance(v, list)} for row in rows]),
        "Adam on MSE by the spread of its start",
        text_table([{k: v for k, v in row.items() if not isinstance(v, list)} for row in scaled]),
        answer_text(answered),
        f"the sweep took {seconds:.0f} s on one thread",
    ]
    text = "\n\n".join(parts)
    whole = {"rows": rows, "scales": scaled, "answers": answered, "sweep seconds": seconds}
    print(to_json(whole) if options.json else text)
    write_text(options.out / "result.json", to_json(whole))
    write_text(options.out / "table.txt", text + "\n")
    write_figure(options.out / "curves.png", figures.curve_figure(runs))
    write_figure(options.out / "overlap.png", figures.overlap_figure(runs))
    write_figure(options.out / "plateaus.png", figures.plateau_figure(rows, scaled))
    write_figure(options.out / "oracle.png", figures.oracle_figure(d=options.sweep.d))
    if not options.json:
        names = "result.json, table.txt, curves.png, overlap.png, plateaus.png, oracle.png"
        print(f"\nwritten to {options.out}: {names}")
    return 0
