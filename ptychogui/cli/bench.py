"""`ptychogui bench WHAT`: measures of the engine, each a file of `ptychogui.bench`."""

from __future__ import annotations

import argparse
import json
from functools import partial
from typing import Any, Protocol

from ptychogui.bench import engine, live, papers, steps
from ptychogui.cli.arguments import Commands, add_command


class Bench(Protocol):
    """A file of a measure; WHAT is the file's name, and its first line the help."""

    __name__: str
    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what the measure has to be told."""

    def measure(self, options: argparse.Namespace) -> Any:
        """Plain data, which `--json` prints."""

    def table(self, found: Any) -> str:
        """The same as a text."""


_BENCHES: tuple[Bench, ...] = (engine, papers, steps, live)


def add(commands: Commands) -> None:
    """The parser of this command and of every measure."""
    about = "Measure the engine on this machine."
    parser = commands.add_parser("bench", help=about, description=about, formatter_class=argparse.HelpFormatter)
    whats = parser.add_subparsers(required=True, dest="what")
    for bench in _BENCHES:
        text = (bench.__doc__ or "").partition("\n")[0]
        what = add_command(whats, bench.__name__.rpartition(".")[2], partial(_bench, bench), text)
        bench.add_arguments(what)
        what.add_argument("--json", action="store_true", help="print it as one line of JSON")


def _bench(bench: Bench, options: argparse.Namespace) -> int:
    found = bench.measure(options)
    print(json.dumps(found) if options.json else bench.table(found))
    return 0
