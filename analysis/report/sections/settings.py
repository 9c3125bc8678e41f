"""The exact settings, and what they ran on."""

import dataclasses

from markupsafe import Markup

from myopia.analysis.report.results import Results
from myopia.analysis.report.section import fill, section


@section(place=90, title="Settings and versions")
def settings(results: Results) -> Markup:
    """Of each condition its config, its seeds, versions, hardware and time."""
    conditions = {}
    for name, runs in results.conditions.items():
        config = dataclasses.asdict(runs[0].config)
        del config["seed"]
        conditions[name] = {
            "config": config,
            "seeds": [run.config.seed for run in runs],
            "folders": [str(run.folder) for run in runs],
            "seconds": [run.record.get("wall_seconds") for run in runs],
            "ran on": _distinct(
                {key: run.record.get(key) for key in ("versions", "git_commit", "hardware")}
                for run in runs
            ),
        }
    return fill("settings", conditions=conditions)


def _distinct(values) -> list:
    found = []
    for value in values:
        if value not in found:
            found.append(value)
    return found
