"""Speed against a peer in the same run: interleaved, medians and their ratio."""

import statistics
from collections.abc import Callable
from typing import Any


def interleave(
    ours: Callable[[], float], peer: Callable[[], float], runs: int
) -> list[tuple[float, float]]:
    """The rates of both, `runs` times in turn."""
    for side in (ours, peer):
        side()  # warm
    return [(ours(), peer()) for _ in range(runs)]


def row(what: str, peer_name: str, pairs: list[tuple[float, float]], wanted: str) -> dict[str, Any]:
    """A comparison as `myopia bench` prints it, from pairs of steps per second."""
    ours, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
    return {
        "what": what,
        "ours": f"{ours:,.0f} steps/s",
        "peer_name": peer_name,
        "peer": f"{peer:,.0f} steps/s",
        "ratio": round(statistics.median(a / b for a, b in pairs), 2),
        "wanted": wanted,
    }
