"""The front door: `myopia COMMAND ...`.

A command is a file in `commands/` with a docstring (its help), a `PLACE` in the overview, a frozen
dataclass `Options` (read by tyro) and `run(options) -> int`. Only the command that was asked for is
imported.
"""

import contextlib
import importlib
import io
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from myopia.common.search_path import program

# whatever else is imported, is so within `main`: `python -m` has the current folder on its path

MOST_LETTERS = 1000
"""Of a sentence: whoever reads it has one screen."""

BOX = " │╭╮╰╯─├┤┌┐└┘|"
"""What boxes are drawn with."""


@program()
def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 2 bad input, 130 or 143 interrupted."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    in_main = threading.current_thread() is threading.main_thread()
    if in_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_overview())
        return 0
    if arguments == ["--version"]:
        import myopia

        print(f"myopia {myopia.__version__}")
        return 0
    try:
        code = _command(*arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # whoever was reading has had enough; nothing may be written any more, at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _refuse(
            f"{error.strerror or error}: {error.filename2 or error.filename or 'no file named'}"
        )
    except ValueError as error:
        return _refuse(str(error))
    except (MemoryError, RuntimeError, OverflowError) as error:
        if type(error) is RuntimeError and "allocate memory" not in str(error):
            raise  # torch has no other kind of error for want of memory
        if isinstance(error, OverflowError):
            return _refuse(f"a number is too large: {error}")
        return _refuse("there is not enough memory for what was asked: expected something smaller")
    except KeyboardInterrupt as interrupt:
        # 128 and the number of the signal, as a shell tells it
        return _refuse("interrupted", code=128 + next(iter(interrupt.args), signal.SIGINT))


def _terminated(number: int, frame: object) -> None:
    """End as Ctrl-C does: what is under way is written down, and goes on when asked again."""
    raise KeyboardInterrupt(number)


def _command(name: str, *arguments: str) -> int:
    """Import one command, read its options, run it. Raises ValueError for bad input."""
    if name not in (known := commands()):
        from myopia.common.errors import unknown_name_error

        raise ValueError(f"{unknown_name_error('command', name, known)}; see myopia --help")
    import dataclasses

    from myopia.cli.dials import split_dials
    from myopia.common.links import check_default, check_links
    from myopia.envs.registry import import_worlds

    module = importlib.import_module(f"myopia.cli.commands.{name.replace('-', '_')}")
    dials, rest = split_dials(name, module.Options, arguments)
    options = _options(module, name, rest)
    if dials:
        options = dataclasses.replace(options, dials=tuple(dials))
    out = getattr(options, "out", None)
    if "--out=" in rest or ("--out" in rest and "" in rest[rest.index("--out") + 1 :][:1]):
        raise ValueError("--out: expected a folder, got ''; the current one is called .")
    if isinstance(out, Path):
        if "--out" not in rest and not any(word.startswith("--out=") for word in rest):
            check_default(out)
        if out.is_dir():
            check_links(out, besides="wandb" if name == "train" else None)
    if (worlds := getattr(options, "world_module", None)) is not None:
        import_worlds(worlds)
    return module.run(options)


def _options(module: Any, name: str, arguments: Sequence[str]) -> Any:
    """The command's options; what tyro says in a box of several lines becomes one sentence."""
    import tyro

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(
                module.Options,
                prog=f"myopia {name}",
                # an example to a line: what is in one paragraph would be joined
                description=(module.__doc__ or "").replace("\nExample:", "\n\nExample:"),
                args=arguments,
            )
    except SystemExit as stop:
        if not stop.code:
            raise
    # the box's title, in its upper edge, repeats what its lines say
    lines = (line.strip(BOX) for line in said.getvalue().splitlines() if not line.startswith("╭"))
    told = [line for line in lines if line and not line.startswith("For full helptext")]
    raise ValueError(f"{' '.join(told)}; see myopia {name} --help")


def _refuse(sentence: str, code: int = 2) -> int:
    # it may quote a file or a name of somebody else's: one line, and nothing that a terminal obeys
    line = "".join(letter if letter.isprintable() else " " for letter in sentence)
    if len(line) > MOST_LETTERS:  # what is wrong stands first, what to do last
        line = f"{line[: MOST_LETTERS - 300]} ... {line[-200:]}"
    print(f"myopia: {line}", file=sys.stderr)
    return code


def commands() -> dict[str, str]:
    """Command -> the first line of its help, in the order of their places; none is imported."""
    import ast

    from myopia.common.registry import module_names

    found = {}
    for module in module_names("myopia.cli.commands"):
        text = (Path(__file__).parent / "commands" / f"{module}.py").read_text(encoding="utf-8")
        place, help_line = float("inf"), f"(cli/commands/{module}.py is no command: see its PLACE)"
        with contextlib.suppress(SyntaxError, ValueError):  # it is told where it is asked for
            tree = ast.parse(text)
            for line in tree.body:
                if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "PLACE":
                    place = float(ast.literal_eval(line.value))
                    help_line = (ast.get_docstring(tree) or module).split("\n")[0].rstrip(".")
        found[module.replace("_", "-")] = (place, help_line)
    return {name: text for name, (_, text) in sorted(found.items(), key=lambda item: item[1])}


def _overview() -> str:
    known = commands()
    width = max(map(len, known))
    lines = [f"  {name:<{width}}  {text}" for name, text in known.items()]
    return "usage: myopia COMMAND ... (each has --help, with an example)\n\n" + "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
