"""The command line; the same parameters as in the window, by the same names. Every command is a file here."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper

from ptychogui.cli import bench, check, convert, design, export, info, live, replay, run, simulate, train
from ptychogui.cli.arguments import FORMATTER, Command, Parser
from ptychogui.params import InputError, RunError

_COMMANDS: tuple[Command, ...] = (run, live, replay, info, check, simulate, convert, export, design, train, bench)

_NAMES = [command.__name__.rpartition(".")[2] for command in _COMMANDS]

_ABOUT = f"""From a ptychographic scan to a picture. Without a command, the window opens.

Commands: {", ".join(_NAMES)}; `ptychogui COMMAND --help` tells more."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with these arguments; returns the exit code.

    0 on success, 2 for bad input, 1 for a failed run, 130 on Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that has no λ shows a question mark
            stream.reconfigure(errors="replace")
    try:
        if arguments and arguments[0] in _NAMES:
            options = _parser().parse_args(arguments, argparse.Namespace(arguments=arguments))
            command: Callable[[argparse.Namespace], int] = options.command
            return command(options)
        return _window(arguments)
    except (InputError, RunError) as error:
        if debug:
            raise
        print(f"ptychogui: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stderr.close()
        return 1
    except Exception as error:  # the border of the program: a sentence instead of a traceback
        if debug:
            raise
        said = " ".join(str(error).split())
        print(f"ptychogui: {type(error).__name__}: {said} (--debug tells more).", file=sys.stderr)
        return 1


def _window(arguments: list[str]) -> int:
    from importlib.metadata import version

    parser = Parser(prog="ptychogui", description=_ABOUT, formatter_class=FORMATTER)
    parser.add_argument("files", nargs="*", metavar="FILE", help="data or result files to open in the window")
    parser.add_argument("--screenshot", metavar="DIR", help="open FILE, run five epochs, save every dock as PNG, end")
    parser.add_argument("--version", action="version", version=f"ptychogui {version('ptychogui')}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    from ptychogui.gui import app

    return app.main(options.files, options.screenshot)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="ptychogui", description=_ABOUT, formatter_class=FORMATTER)
    commands = parser.add_subparsers(required=True)
    for command in _COMMANDS:
        command.add(commands)
    return parser
