"""Command lines that nobody would write, files that something happened to: nothing surprises.

    python benchmarks/fuzz.py --lines 20000 --files 5000 --seed 0

Prints every case that does not hold, with the seed that makes it again (`--only SEED`), and ends
with 1 where there is one.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.corpus import COMMANDS, make_corpus
from support.fuzz import Finding, change_file, command_line, files_of, judged, linked, run_case

from myopia.cli.main import commands


def line_case(seed: int, corpus: Path, folder: Path) -> tuple[str, list[str]]:
    """A command line, in a folder with something in it."""
    linked(corpus, folder)
    return "command line", command_line(list(commands()), random.Random(seed))


def file_case(seed: int, corpus: Path, folder: Path) -> tuple[str, list[str]]:
    """A damaged file, and a command that opens it."""
    rng = random.Random(seed)
    linked(corpus, folder)
    top = rng.choice(list(COMMANDS))
    place = folder / top
    inside = [place] if place.is_file() else [place / p for p in files_of(place, _is_read)]
    path = rng.choice(inside)
    how = change_file(path, rng)
    return f"{path.relative_to(folder)}: {how}", list(rng.choice(COMMANDS[top]))


def _is_read(path: Path) -> bool:
    return "tfevents" not in path.name and path.suffix != ".zip"


def campaign(
    case, count: int, first: int, corpus: Path, root: Path, tell=print
) -> tuple[list[Finding], Counter]:
    """Run `count` cases; what was found, and how often each exit code came."""
    found, codes = [], Counter()
    for seed in range(first, first + count):
        folder = root / f"case-{seed}"
        what, arguments = case(seed, corpus, folder)
        code, out, err = run_case(arguments, folder)
        why = judged(code, out, err)
        outside = [name for name in os.listdir(root) if name not in (folder.name, "corpus")]
        if outside:
            why = f"left {outside} outside"
        codes[code] += 1
        if why is not None:
            found.append(Finding(seed, what, tuple(arguments), why, (err or out)[-1500:]))
            tell(f"{case.__name__} {seed}: {why}: {what}: {arguments}\n{found[-1].said[-700:]}\n")
        shutil.rmtree(folder, ignore_errors=True)
    return found, codes


def main() -> int:
    """Both campaigns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, help="only make what is damaged, there")
    options = parser.parse_args()
    if options.corpus:
        make_corpus(options.corpus)
        return 0
    import matplotlib.pyplot  # noqa: F401  every fork would import it anew

    import myopia.analysis.report.report
    import myopia.analysis.representations.files  # noqa: F401

    found = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        # by another process: threads of polars that were used do not survive a fork
        subprocess.run([sys.executable, __file__, "--corpus", str(root / "corpus")], check=True)
        corpus = root / "corpus"
        for case, count in ((line_case, options.lines), (file_case, options.files)):
            began = time.perf_counter()
            some, codes = campaign(case, count, options.seed, corpus, root)
            found += some
            seconds = time.perf_counter() - began
            told = ", ".join(f"{code}: {n}" for code, n in sorted(codes.items(), key=str))
            print(f"{case.__name__}: {count} cases, {seconds:.0f} s, {len(some)} found; {told}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
