"""Train, evaluate and report, from end to end.

The quickstart study, a verdict, a page.

Example: myopia demo
"""

import dataclasses
import time
from pathlib import Path

from myopia.cli.commands import report, study
from myopia.common.links import check_default

PLACE = 70
"""Where it stands in the overview."""

STUDY = "quickstart"


@dataclasses.dataclass(frozen=True)
class Options:
    """What `myopia demo` is asked."""

    runs: Path = Path("runs/quickstart")
    """Where the run folders go."""
    out: Path = Path("report/index.html")
    """The page."""


def run(options: Options) -> int:
    """Train, judge, report; the same command again goes on where it was cut short."""
    if options.runs == Options.runs:
        check_default(options.runs)
    began = time.monotonic()
    print(f"myopia study {STUDY} --out {options.runs}", flush=True)
    if code := study.run(study.Options(STUDY, out=options.runs)):
        return code
    print(f"myopia report {options.runs} --out {options.out}", flush=True)
    report.run(report.Options(options.runs, out=options.out))
    print(f"{time.monotonic() - began:.0f} s in all")
    return 0
