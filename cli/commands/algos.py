"""List the learning algorithms and their settings.

As the text that `--algo` takes, with what a world needs different.

Example: myopia algos --json
"""

import dataclasses

from myopia.cli.shared import print_json
from myopia.common.show import show

PLACE = 15
"""Where it stands in the overview."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What `myopia algos` is asked."""

    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Print every registered algorithm."""
    from myopia.agents.algorithms.base import ALGORITHMS

    rows = {
        name: {
            "summary": (kind.__doc__ or "").strip().split("\n")[0],
            "total_timesteps": kind.total_timesteps,
            "settings": dataclasses.asdict(kind()),  # type: ignore[call-overload]
            "worlds": {world: dict(other) for world, other in kind.worlds.items()},
        }
        for name, kind in ALGORITHMS.items()
    }
    if options.json:
        print_json(rows)
        return 0
    for name, row in rows.items():
        print(f"{name}  {row['summary']}")
        print(f"  steps        {row['total_timesteps']:,}")
        print(f"  settings     {_pairs(row['settings'])}")
        for world, other in row["worlds"].items():
            print(f"  in {world:<9} {_pairs(other)}")
        print()
    return 0


def _pairs(values: dict) -> str:
    texts = (
        (name, "/".join(map(str, v)) if isinstance(v, tuple | list) else show(v))
        for name, v in values.items()
    )
    return "  ".join(f"{name}={text}" for name, text in texts)
