"""The agent is told the time."""

import dataclasses

from myopia.envs.index import Index, index_mode


@index_mode
@dataclasses.dataclass(frozen=True)
class Exact(Index):
    """The epoch index itself."""
