"""Everything that is to be known of a GPU, in one command and a few minutes.

    python benchmarks/gpu_record.py --out DIR

The tests that need one, speeds beside SB3's PPO and beside our own on one thread of the CPU, many
seeds, waits, memory: the important rows first, none begun when the budget is used up. Each row is
printed and kept in DIR/record.json at once, so that the same command goes on where it was cut off;
DIR/record.md is the table. `--device cpu --small` tries the command itself.
"""

import argparse
import json
import os
import platform
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any

SIDES = {"ours": "ours", "peer": "peer, same device", "cpu": "ours, one thread of the CPU"}


def main() -> int:
    """Measure what is not there yet."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(description="Everything that is to be known of a GPU.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the record")
    parser.add_argument("--budget", type=float, default=470, help="seconds")
    parser.add_argument("--device", default="cuda", help="cuda or cpu")
    parser.add_argument("--small", action="store_true", help="tiny sizes, to try the command")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    warnings.filterwarnings("ignore", message=".*run PPO on the GPU.*")

    import torch
    from gpu_rows import Place, rows

    if options.device != "cpu" and not torch.cuda.is_available():
        parser.error(f"--device {options.device} needs CUDA, which is not here: expected cpu")
    torch.set_num_threads(1)
    place = Place(options.device, options.small)
    record = Record(options.out, _hardware(place))
    print(f"{record.hardware}; torch {torch.__version__}", flush=True)
    try:
        for row in rows(place):
            left = options.budget - (time.monotonic() - began)
            if row.key in record.done:
                continue
            if left <= 0:
                print(f"the budget of {options.budget:g} s is used up: the same command goes on")
                break
            record.take(row, left)
    finally:
        record.write_table()
    return 0


class Record:
    """The rows of one machine, in a file that may hold those of others."""

    def __init__(self, out: Path, hardware: str) -> None:
        import torch

        out.mkdir(parents=True, exist_ok=True)
        self.hardware, self._json, self._table = hardware, out / "record.json", out / "record.md"
        self._all = json.loads(self._json.read_text()) if self._json.exists() else {}
        self._mine = self._all.setdefault(hardware, {"rows": {}})
        self._mine |= {"torch": torch.__version__, "python": platform.python_version()}

    @property
    def done(self) -> set[str]:
        """What need not be measured again: whatever did not fail."""
        return {key for key, row in self._mine["rows"].items() if "failed" not in row}

    def take(self, row: Any, left: float) -> None:
        """Measure a row, print it and keep it; a failure is a row, too."""
        began = time.monotonic()
        found = {"what": row.what, "side": row.side}
        try:
            found |= row.measure(left)
        except Exception as error:
            first = (str(error).strip() or "no message").splitlines()[0]
            found["failed"] = f"{type(error).__name__}: {first[:300]}"
        found["took"] = round(time.monotonic() - began, 2)
        self._mine["rows"][row.key] = found
        _replace(self._json, json.dumps(self._all, indent=1))
        note = f"  ({found['note']})" if "note" in found else ""
        print(f"{found['took']:6.1f} s  {row.key}: {_cell(found)}{note}", flush=True)

    def write_table(self) -> None:
        """The rows as Markdown, the sides of each beside each other."""
        sides: dict[str, dict[str, Any]] = {}
        for row in self._mine["rows"].values():
            sides.setdefault(row["what"], {})[row["side"]] = row
        lines = [
            f"{self.hardware}, torch {self._mine['torch']}, Python {self._mine['python']}",
            "",
            f"| | {' | '.join(SIDES.values())} | times the peer | times the CPU | |",
            f"|---{'|---' * (len(SIDES) + 3)}|",
        ]
        for what, row in sides.items():
            cells = [_cell(row.get(side)) for side in SIDES]
            ratios = [_ratio(row.get("ours"), row.get(side)) for side in ("peer", "cpu")]
            notes = "; ".join(one["note"] for one in row.values() if "note" in one)
            lines.append(f"| {' | '.join([what, *cells, *ratios, notes])} |")
        _replace(self._table, "\n".join(lines) + "\n")
        print("\n" + "\n".join(lines), flush=True)


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    if "failed" in row:
        return f"failed: {row['failed']}".replace("|", "/")
    value = row["value"]
    number = f"{value:,.0f}" if isinstance(value, int) or value >= 1000 else f"{value:.3g}"
    return f"{number} {row['unit']}"


def _ratio(ours: dict[str, Any] | None, other: dict[str, Any] | None) -> str:
    if not ours or not other or "failed" in ours or "failed" in other:
        return ""
    ratio = ours["value"] / other["value"]
    return f"{1 / ratio if ours['unit'] == 's' else ratio:.3g}"


def _hardware(place: Any) -> str:
    import torch

    name = _processor() if place.device == "cpu" else torch.cuda.get_device_name()
    return name + (", tiny sizes" if place.small else "")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)


def _stop(number: int, frame: Any) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
