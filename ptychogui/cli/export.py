"""`ptychogui export`: a result as pictures and tables."""

from __future__ import annotations

import argparse

from ptychogui.cli.arguments import Commands, add_command


def add(commands: Commands) -> None:
    """The parser of this command."""
    export = add_command(commands, "export", _export, "Write a result as TIFF, PNG and CSV.")
    export.add_argument("file", metavar="RESULT.h5", help="result file")
    export.add_argument("output", metavar="DIR", help="folder to write to")


def _export(options: argparse.Namespace) -> int:
    from ptychogui import io

    for path in io.export(io.read_result(options.file), options.output):
        print(path)
    return 0
