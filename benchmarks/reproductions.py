"""Every published result beside ours, the trained ones too: `python benchmarks/reproductions.py`.

The rows of `myopia reproduce NAME` for every source (or those named), and how long each
took: seconds for audit and investment, about two minutes on one thread for toy-models and for
s-curves. Continuous integration has the exact rows, and the trained ones in a small version. Exits
with 1 where a row fails.
"""

import sys
import time

from myopia.analysis.reproductions import REPRODUCTIONS
from myopia.cli.main import main as myopia


def main(names: list[str]) -> int:
    """Reproduce them one after the other."""
    failed = []
    for name in names or REPRODUCTIONS:
        print(f"\n{name}", flush=True)
        began = time.perf_counter()
        if myopia(["reproduce", name]):
            failed.append(name)
        print(f"{time.perf_counter() - began:.0f} s", flush=True)
    print(f"\nfailed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
