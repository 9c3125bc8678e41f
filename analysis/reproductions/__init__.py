"""Published and exact results of worlds beside ours, one file a family."""

from myopia.analysis.reproductions import investment

__all__ = ["investment"]
