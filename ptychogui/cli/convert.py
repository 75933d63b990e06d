"""`ptychogui convert`: a data file in another format."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ptychogui.cli.arguments import Commands, add_command, add_set, job_of
from ptychogui.params import InputError


def add(commands: Commands) -> None:
    """The parser of this command."""
    text = "Write a data file in another format; the suffix of OUT chooses it."
    convert = add_command(commands, "convert", _convert, text)
    convert.add_argument("file", metavar="IN", help="data file")
    convert.add_argument("output", metavar="OUT", help="file to write")
    add_set(convert, "data.bin=2")


def _convert(options: argparse.Namespace) -> int:
    from ptychogui import io

    io.check_target(options.output)
    dataset = io.read(job_of(options).data)
    if Path(options.output).exists() and Path(options.output).samefile(dataset.source):
        raise InputError(f"{options.output} is the file that is read; give the new one another name.")
    for warning in dataset.warnings:
        print(f"ptychogui: {warning}", file=sys.stderr)
    io.write(dataset, options.output)
    return 0
