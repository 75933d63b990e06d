"""What the commands share: their parser, and the options that describe a job."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NoReturn, Protocol

from ptychogui.options import add_job, add_preset, add_run, add_set, job_of, text_of, told_of
from ptychogui.params import InputError

__all__ = ["FORMATTER", "Command", "Commands", "Parser", "add_command", "add_job", "add_preset", "add_run", "add_set"]
__all__ += ["job_of", "text_of", "told_of"]

FORMATTER = argparse.RawDescriptionHelpFormatter
"""Help texts keep their lines."""


class Parser(argparse.ArgumentParser):
    """A parser that tells what is wrong as the whole program does."""

    def error(self, message: str) -> NoReturn:
        """One sentence, where argparse would print its usage and end the program."""
        raise InputError(f"{message[0].upper()}{message[1:]}; `{self.prog} --help` tells more.")


class Commands(Protocol):
    """The subparsers of a parser."""

    def add_parser(
        self, name: str, *, help: str, description: str, formatter_class: type[argparse.HelpFormatter]
    ) -> argparse.ArgumentParser:
        """Make the parser of one command."""


class Command(Protocol):
    """A file of a command; its name is that of the file."""

    __name__: str

    def add(self, commands: Commands) -> None:
        """Add the command's parser, by `add_command`."""


def add_command(
    commands: Commands, name: str, command: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    """A parser for the command `name`, which is run by `command` and returns the exit code."""
    sub = commands.add_parser(name, help=text, description=text, formatter_class=FORMATTER)
    sub.set_defaults(command=command)
    sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return sub
