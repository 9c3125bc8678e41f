"""Where each model's rows lie among those of all."""

from collections.abc import Sequence

ALIGNMENT = 16
"""Each model's rows begin at a multiple of this.

So its numbers lie in memory, and are summed up, as they are where it is alone: vector instructions
treat the first and the last few numbers of an array in another way than the rest.
"""

Spans = Sequence[tuple[int, int]]
"""First row, and the one after the last, of each model."""


def lay_out(counts: Sequence[int]) -> tuple[list[tuple[int, int]], int]:
    """Spans of these lengths, each aligned, and how many rows they take in all."""
    starts = [0]
    for count in counts:
        starts.append(-(-(starts[-1] + count) // ALIGNMENT) * ALIGNMENT)
    spans = [(start, start + count) for start, count in zip(starts, counts, strict=False)]
    return spans, starts[-1]


def lay_out_evenly(counts: Sequence[int]) -> tuple[list[tuple[int, int]], int]:
    """The same, each model's rows as far from the next one's: one product may take them all."""
    spans, total = lay_out([max(counts)] * len(counts))
    return [(start, start + count) for (start, _), count in zip(spans, counts, strict=True)], total
