"""The agent is not told the time."""

import dataclasses
from typing import ClassVar

from myopia.envs.index import Index, index_mode


@index_mode
@dataclasses.dataclass(frozen=True)
class Hidden(Index):
    """The index entries are kept in the observation, all zero."""

    hides: ClassVar[bool] = True
