"""Equal observations are worked out once: which rows stand for which samples."""

from typing import NamedTuple

import torch

from myopia.agents.fast.towers import Spans


class Groups(NamedTuple):
    """`rows` (R,) are the distinct keys; sample i looks at row `place[i]` of them."""

    rows: torch.Tensor
    place: torch.Tensor
    spans: Spans  # the rows of each model


def distinct(keys: torch.Tensor, bounds: torch.Tensor) -> Groups:
    """Groups of equal keys (S, samples); those of model s lie in bounds[s]..bounds[s + 1] - 1.

    How many rows there are depends on the data: this is for a CPU, where knowing it costs nothing.
    """
    count, flat = int(bounds[-1]), keys.flatten()
    seen = torch.zeros(count, dtype=torch.bool).index_fill_(0, flat, True)
    rows = seen.nonzero().view(-1)
    number = torch.empty(count, dtype=torch.int64)
    number[rows] = torch.arange(len(rows))
    ends = torch.searchsorted(rows, bounds).tolist() if len(keys) > 1 else [0, len(rows)]
    return Groups(rows, number.index_select(0, flat), list(zip(ends[:-1], ends[1:], strict=True)))


def each(keys: torch.Tensor) -> Groups:
    """Every sample is a row of its own: shapes do not depend on the data."""
    models, samples = keys.shape
    place = torch.arange(models * samples, device=keys.device)
    spans = [(model * samples, (model + 1) * samples) for model in range(models)]
    return Groups(keys.flatten(), place, spans)
