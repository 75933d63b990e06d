"""What the commands share: their parser, and the job that their options describe."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

from ptychogui.params import InputError, parse_setting

if TYPE_CHECKING:
    from ptychogui.job import Job

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


def add_set(sub: argparse.ArgumentParser, example: str) -> None:
    """Let parameters be set by their names."""
    sub.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help=f"for example {example}")


def job_of(options: argparse.Namespace) -> Job:
    """The job of the options: of a file or of the result to go on from, then what the options say, in their order."""
    from ptychogui import io
    from ptychogui.job import Job

    job, path = Job(), str(Path(options.file).expanduser().absolute())
    known = io.read_result(path) if io.is_result(path) else None
    if getattr(options, "job", None):
        with told_of(options.job):
            job = Job.from_toml(text_of(options.job))
    elif known is not None:
        job = Job.from_toml(known.job)
    if known is not None:
        job = job.with_value("start", {"kind": "file", "path": path})
    for place, name in (("solver.kind", "solver"), ("solver.epochs", "epochs"), ("device", "device")):
        given = getattr(options, name, None)
        if given is not None:
            job = job.with_value(place, given if name != "epochs" else parse_setting(f"epochs={given}")[1])
    for setting in getattr(options, "set", ()):
        job = job.with_value(*parse_setting(setting))
    for name in ("positions", "dark", "mask"):
        named = getattr(job.data, name)
        if named and Path(named).exists():
            job = job.with_value(f"data.{name}", str(Path(named).absolute()))
    return job.with_value("data.path", path)


def text_of(path: str) -> str:
    """The text of a TOML file."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError("This is no text file, so it is no TOML either; check the name.") from error
    except OSError as error:
        raise InputError(f"The file cannot be read: {error.strerror}.") from error


@contextmanager
def told_of(path: str) -> Iterator[None]:
    """What is wrong inside is told with the name of the file that it is wrong in."""
    try:
        yield
    except InputError as error:
        raise InputError(f"In {path}: {error}") from error
