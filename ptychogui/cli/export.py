"""`ptychogui export`: a result as pictures and tables."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ptychogui.cli.arguments import Commands, add_command
from ptychogui.params import InputError

if TYPE_CHECKING:
    from ptychogui.types import Result


def add(commands: Commands) -> None:
    """The parser of this command."""
    from ptychogui.io.export import FORMATS, USUAL

    export = add_command(commands, "export", _export, "Write a result as pictures, tables, other formats, a report.")
    export.add_argument("file", metavar="RESULT.h5", help="result file")
    export.add_argument("output", metavar="DIR", help="folder to write to")
    usual, every = ",".join(USUAL), "; ".join(FORMATS.values())
    export.add_argument("--formats", default=usual, metavar="LIST", help=f"of {','.join(FORMATS)} ({usual}). {every}")


def _export(options: argparse.Namespace) -> int:
    from ptychogui import io

    result = io.read_result(options.file)
    formats = [name for name in options.formats.replace(" ", "").split(",") if name]
    for path in io.export(result, options.output, formats, command=_command(result)):
        print(path)
    return 0


def _command(result: Result) -> str:
    """The command that makes the result again; '' where its parameters are of another version, or its start is lost."""
    from ptychogui.job import Job
    from ptychogui.reproduce import Recipe

    if result.provenance.get("parent"):
        return ""
    try:
        job = Job.from_toml(result.job)
    except InputError:
        return ""
    return Recipe(job, "result.h5").command_line()
