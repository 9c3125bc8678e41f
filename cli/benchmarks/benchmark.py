"""Comparisons of speed by name: what `myopia bench` can time."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from myopia.common.registry import Registry
from myopia.envs import World


@dataclasses.dataclass(frozen=True)
class Setting:
    """How something is timed."""

    runs: int
    """Interleaved runs of each side."""
    device: str
    """Where our side learns."""
    figure: Path | None
    """Where a figure goes, if one is wanted."""


Benchmark = Callable[[World, Setting], Iterator[dict[str, Any]]]
"""Yields a row for each comparison: what, ours, peer_name, peer, ratio, wanted."""

BENCHMARKS: Registry[Benchmark] = Registry("benchmark", "myopia.cli.benchmarks")
"""Name -> benchmark."""
benchmark = BENCHMARKS.register
