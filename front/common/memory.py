"""Whether what was asked fits into this machine's memory, before any of it is taken."""

from pathlib import Path


def check_fits(what: str, count: int, bytes_each: float, least: int = 1) -> None:
    """Raise ValueError where `count` of `what` do not fit, naming how many do."""
    room = free_bytes()
    if room is None or count * bytes_each <= room:
        return
    fit = int(room // bytes_each)
    expected = f"expected at most {fit}" if fit >= least else "expected something smaller"
    raise ValueError(
        f"{what} {count} needs {count * bytes_each / 1e9:.3g} GB, and {room / 1e9:.3g} GB are "
        f"free: {expected}"
    )


def free_bytes() -> int | None:
    """Memory that this process can still take; None where nobody says."""
    rooms = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        rooms += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            rooms.append(max(0, limit - taken))
    except (OSError, ImportError):
        pass
    return min(rooms, default=None)
