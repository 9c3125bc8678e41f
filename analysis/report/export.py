"""The figures and the tables of the page as files, for a paper: the same data, nothing else."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import polars

from myopia.analysis.report.figure import draw_figures
from myopia.analysis.report.results import Results
from myopia.analysis.report.scores import SCORES, summary
from myopia.analysis.report.section import decimal
from myopia.analysis.report.verdict import comparisons, headline
from myopia.common.errors import check_choice
from myopia.common.files import write_text, write_whole
from myopia.common.search_path import safe_imports

FORMATS = ("pdf", "png", "svg")
KINDS = {"csv": ".csv", "latex": ".tex"}
"""Kind of table -> how its files end."""

Rows = list[list[str]]
"""The first is the heading."""


@safe_imports()
def write_figures(results: Results, folder: str | Path, kind: str = "pdf") -> list[Path]:
    """Every figure of the page that has something to draw, in `folder`; returns the files.

    Raises ValueError for a kind of file that is none of `FORMATS`.
    """
    check_choice("format", kind, FORMATS)
    written = []
    for name, drawn in draw_figures(results).items():
        path = Path(folder) / f"{name}.{kind}"
        write_whole(
            path,
            lambda temporary, drawn=drawn: drawn.savefig(
                temporary, format=kind, dpi=200, metadata=_undated(kind)
            ),
        )
        written.append(path)
    return written


@safe_imports()
def write_tables(results: Results, folder: str | Path, kind: str) -> list[Path]:
    """The tables of the page in `folder`: conditions, comparisons, and (CSV) every seed.

    `kind` is `csv`, or `latex`, which wants the package booktabs. Raises ValueError for another.
    """
    check_choice("kind of table", kind, KINDS)
    tables = {"conditions": condition_rows(results)}
    if results.primary:
        tables["comparisons"] = comparison_rows(results)
    texts = {name: _latex(rows) if kind == "latex" else _csv(rows) for name, rows in tables.items()}
    if kind == "csv":
        frame = results.frame()
        names = {name: list(map(_no_formula, frame[name])) for name in ("condition", "folder")}
        texts["seeds"] = frame.with_columns(
            **{k: polars.Series(v) for k, v in names.items()}
        ).write_csv()
    written = []
    for name, text in texts.items():
        path = Path(folder) / f"{name}{KINDS[kind]}"
        write_text(path, text)
        written.append(path)
    return written


def condition_rows(results: Results) -> Rows:
    """Condition, seeds, classes; of each score the mean, and the least and the largest seed."""
    rows = [["condition", "seeds", "classes", *(score.label for score in SCORES.values())]]
    for name, seeds in results.table.items():
        cells = []
        for score in SCORES.values():
            found = summary(score, seeds)
            if found is None:
                cells.append("–")
            elif found.low == found.high:
                cells.append(decimal(found.mean, 2))
            else:
                ends = f"{decimal(found.low, 2)} to {decimal(found.high, 2)}"
                cells.append(f"{decimal(found.mean, 2)} ({ends})")
        rows.append([name, str(len(seeds)), headline(seeds), *cells])
    return rows


def comparison_rows(results: Results) -> Rows:
    """The declared comparisons: both means, and the p of the permutation test after Holm."""
    rows = [["condition", "against", "score", "mean", "mean of the other", "p (Holm)"]]
    for one in comparisons(results):
        means = [decimal(sum(v) / len(v), 2) if v else "–" for v in one.values]
        p = f"needs {one.needed} seeds" if one.adjusted is None else f"{one.adjusted:.2g}"
        rows.append([one.condition, one.baseline, one.score.label, *means, p])
    return rows


def _csv(rows: Rows) -> str:
    buffer = io.StringIO()
    named = ([_no_formula(name), *cells] for name, *cells in rows)
    csv.writer(buffer, lineterminator="\n").writerows(named)
    return buffer.getvalue()


def _no_formula(name: str) -> str:
    """A name that a spreadsheet does not take for something to work out."""
    return f"'{name}" if name[:1] in tuple("=+-@") else name


def _latex(rows: Rows) -> str:
    """A tabular with the rules of booktabs."""
    columns = "l" + "r" * (len(rows[0]) - 1)
    # {} before a row: what begins with [ or * would be read as an option of the rule above it
    head, *body = ["{}" + " & ".join(map(_escaped, row)) + r" \\" for row in rows]
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", head, r"\midrule", *body]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


SPECIAL = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\n": " ",
    "δ": r"$\delta$",
    "–": "--",
    "−": "$-$",
}
"""Letter -> what LaTeX prints it from."""


def _escaped(cell: str) -> str:
    return "".join(SPECIAL.get(letter, letter) for letter in cell)


def _undated(kind: str) -> dict[str, None]:
    """Two files of the same data are equal, byte for byte."""
    dates: dict[str, Sequence[str]] = {"pdf": ("CreationDate",), "svg": ("Date",), "png": ()}
    return dict.fromkeys(dates[kind])
