"""List the worlds, their spaces and their dials.

Example: myopia envs --json
"""

import dataclasses

from myopia.cli.shared import print_json
from myopia.common.show import show
from myopia.envs import WORLDS, make_world, world_id
from myopia.envs.observer import observation_space

PLACE = 10
"""Where it stands in the overview."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What `myopia envs` is asked."""

    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Print every registered world."""
    rows = {name: describe(name) for name in sorted(WORLDS)}
    if options.json:
        print_json(rows)
        return 0
    for name, row in rows.items():
        print(f"{name}  {row['summary']}")
        print(f"  id           {row['id']}")
        print(f"  actions      {', '.join(row['actions'])}")
        print(f"  observation  Box({row['observation']},)  states {row['states']}")
        print(f"  dials        {'  '.join(f'{k}={show(v)}' for k, v in row['dials'].items())}\n")
    return 0


def describe(name: str) -> dict:
    """A world at its default dials, in plain types."""
    world = make_world(name)
    return {
        "id": world_id(name),
        "summary": (WORLDS[name].__doc__ or "").strip().split("\n")[0],
        "actions": list(world.actions),
        "observation": observation_space(world).shape[0],
        "states": world.tables.num_states,
        "dials": world.dials(),
    }
