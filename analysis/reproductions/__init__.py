"""Published and exact results of worlds beside ours, one file for each source."""

from myopia.superposition.reproductions.reproduction import REPRODUCTIONS

__all__ = ["REPRODUCTIONS"]

REPRODUCTIONS.add_package("myopia.analysis.reproductions")
