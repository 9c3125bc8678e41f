"""Equal observations are worked out once: which rows stand for which samples."""

import itertools
from typing import NamedTuple

import torch

from myopia.agents.fast_ppo.layout import Spans, lay_out


class DistinctRows(NamedTuple):
    """Sample i looks at row `place[i]` of `rows`, the distinct keys of each model in its span.

    Between the spans `rows` is filled up with key 0.
    """

    rows: torch.Tensor
    place: torch.Tensor
    spans: Spans


def distinct(keys: torch.Tensor, bounds: torch.Tensor) -> DistinctRows:
    """Groups of equal keys (S, samples); those of model s lie in bounds[s]..bounds[s + 1] - 1.

    How many rows there are depends on the data: this is for a CPU, where knowing it costs nothing.
    """
    count, flat = int(bounds[-1]), keys.flatten()
    seen = torch.zeros(count, dtype=torch.bool).index_fill_(0, flat, True)
    found = seen.nonzero().view(-1)
    if len(keys) > 1:
        ends = torch.searchsorted(found, bounds).tolist()
        spans, total = lay_out([b - a for a, b in itertools.pairwise(ends)])
        places = torch.cat([torch.arange(*span) for span in spans])
    else:
        spans, total = lay_out([len(found)])
        places = torch.arange(len(found))
    rows = torch.zeros(total, dtype=torch.int64)
    rows[places] = found
    number = torch.empty(count, dtype=torch.int64)
    number[found] = places
    return DistinctRows(rows, number.index_select(0, flat), spans)


def each(keys: torch.Tensor) -> DistinctRows:
    """Every sample is a row of its own: shapes do not depend on the data."""
    models, samples = keys.shape
    place = torch.arange(models * samples, device=keys.device)
    spans = [(model * samples, (model + 1) * samples) for model in range(models)]
    return DistinctRows(keys.flatten(), place, spans)
