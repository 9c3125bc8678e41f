"""The numbers that stand for a condition: what the measures declare, and its spread."""

from collections.abc import Iterator, Mapping, Sequence

from myopia.analysis.measures.measure import MEASURES
from myopia.analysis.measures.score import Entries, Score
from myopia.analysis.report.statistics import Summary, summarise


def summary(score: Score, seeds: Sequence[Entries]) -> Summary | None:
    """Every seed that has the number, their mean, ends and median; None where none has one."""
    values = score.values(seeds)
    return summarise(values) if values else None


class _Scores(Mapping[str, Score]):
    """The scores of all measures, in the order of their places."""

    def __getitem__(self, key: str) -> Score:
        for one in MEASURES.values():
            if key in one.scores:
                return one.scores[key]
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        keys = [key for one in MEASURES.values() for key in one.scores]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"two measures have a score {key!r}, expected names that differ")
        return iter(sorted(keys, key=lambda key: self[key].place))

    def __len__(self) -> int:
        return sum(len(one.scores) for one in MEASURES.values())


SCORES: Mapping[str, Score] = _Scores()
"""What the table and the figure of scores show of a condition, by a short name."""
