"""Equal observations are worked out once: which rows stand for which samples."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import torch

from myopia.agents.fast_ppo.layout import Spans, lay_out

SPARSE = 16
"""Possible keys for each sample from which on it is faster to sort samples than to mark keys."""


class DistinctRows(NamedTuple):
    """Sample i looks at row `place[i]` of `rows`, the distinct keys of each model in its span.

    Between the spans `rows` is filled up with key 0.
    """

    rows: torch.Tensor
    place: torch.Tensor
    spans: Spans


def distinct(
    keys: torch.Tensor, bounds: torch.Tensor, apart: Sequence[bool] | None = None
) -> DistinctRows:
    """Groups of equal keys (S, samples); those of model s lie in bounds[s]..bounds[s + 1] - 1.

    Each sample of a model that is to be kept `apart` is a row of its own: where nearly all keys
    differ, to find the others costs more than it saves. How many rows there are depends on the
    data: this is for a CPU, where knowing it costs nothing.
    """
    if apart is not None and all(apart):
        return _apart(keys)
    if apart is not None and any(apart):
        return _each_its_own_way(keys, bounds, apart)
    count, flat = int(bounds[-1]), keys.flatten()
    sparse = count > SPARSE * len(flat)
    if sparse:
        found, flat = torch.unique(flat, return_inverse=True)
    else:
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
    if sparse:
        return DistinctRows(rows, places.index_select(0, flat), spans)
    number = torch.empty(count, dtype=torch.int64)
    number[found] = places
    return DistinctRows(rows, number.index_select(0, flat), spans)


def _apart(keys: torch.Tensor) -> DistinctRows:
    """Every sample is a row of its own, each model's rows aligned."""
    spans, total = lay_out([keys.shape[1]] * len(keys))
    if total == keys.numel():
        return DistinctRows(keys.flatten(), torch.arange(total), spans)
    place = torch.cat([torch.arange(*span) for span in spans])
    rows = torch.zeros(total, dtype=torch.int64)
    rows[place] = keys.flatten()
    return DistinctRows(rows, place, spans)


def _each_its_own_way(
    keys: torch.Tensor, bounds: torch.Tensor, apart: Sequence[bool]
) -> DistinctRows:
    """Model by model, for those that are kept apart beside those that are not."""
    parts = [
        distinct(mine[None], bounds[number + 1 :][:1], [apart[number]])
        for number, mine in enumerate(keys)
    ]
    counts = [part.spans[0][1] for part in parts]
    spans, total = lay_out(counts)
    rows = torch.zeros(total, dtype=torch.int64)
    places = []
    for part, (start, end) in zip(parts, spans, strict=True):
        rows[start:end] = part.rows[: end - start]
        places.append(part.place + start)
    return DistinctRows(rows, torch.cat(places), spans)


def each(keys: torch.Tensor) -> DistinctRows:
    """Every sample is a row of its own: shapes do not depend on the data."""
    models, samples = keys.shape
    place = torch.arange(models * samples, device=keys.device)
    spans = [(model * samples, (model + 1) * samples) for model in range(models)]
    return DistinctRows(keys.flatten(), place, spans)
