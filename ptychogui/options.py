"""The options of the command line that describe a job, and the job that they describe."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ptychogui.params import InputError, entries, parse_setting

if TYPE_CHECKING:
    from ptychogui.job import Job


def add_job(parser: ArgumentParser) -> None:
    """Add the data and everything that is said of the run."""
    parser.add_argument("file", help="data file or folder, or a result to go on from")
    add_run(parser)


def add_run(parser: ArgumentParser) -> None:
    """Add everything that is said of a run, but for its data."""
    parser.add_argument("--job", metavar="J.toml", help="a job to begin with")
    add_preset(parser)
    parser.add_argument("--solver", metavar="KIND", help="one of " + ", ".join(_solvers()))
    parser.add_argument("--epochs", metavar="N", help="how often every frame is used")
    parser.add_argument("--device", help="auto, cpu or cuda:0")
    add_set(parser, "solver.object_step=0.01 or data.energy_eV=8700")


def add_preset(parser: ArgumentParser) -> None:
    """Let solver and unknowns be set by a name."""
    from ptychogui.presets import PRESETS

    about = "; ".join(f"{name}: {preset.text}" for name, preset in PRESETS.items())
    yours = "or one that was saved in the window, or the TOML file of one"
    parser.add_argument("--preset", metavar="NAME", help=f"solver and unknowns by a name, {yours}. {about}")


def add_set(parser: ArgumentParser, example: str) -> None:
    """Let parameters be set by their names."""
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help=f"for example {example}")


def job_of(options: Namespace) -> Job:
    """The job of the options: of a file or of the result to go on from, then what the preset and the options say.

    Without a file, as for a scan that is still to come, it names no data.
    """
    from ptychogui import io
    from ptychogui.job import Job
    from ptychogui.presets import preset

    job, file = Job(), getattr(options, "file", None)
    path = str(Path(file).expanduser().absolute()) if file else ""
    known = io.read_result(path) if path and io.is_result(path) else None
    if getattr(options, "job", None):
        with told_of(options.job):
            job = Job.from_toml(text_of(options.job))
    elif known is not None:
        job = Job.from_toml(known.job)
    if getattr(options, "preset", None):
        job = preset(options.preset).apply(job)
    if known is not None:
        job = job.with_value("start", {"kind": "file", "path": path})
    for place, name in (("solver.kind", "solver"), ("solver.epochs", "epochs"), ("device", "device")):
        given = getattr(options, name, None)
        if given is not None:
            job = job.with_value(place, given if name != "epochs" else parse_setting(f"epochs={given}")[1])
    for setting in getattr(options, "set", ()):
        job = job.with_value(*parse_setting(setting))
    return _with_whole_paths(job).with_value("data.path", path)


def _with_whole_paths(job: Job) -> Job:
    """With files named so that they are found from any folder; the names of networks of the program stay."""
    for group in ("data", "start"):
        params = getattr(job, group)
        for entry in entries(type(params)):
            named = getattr(params, entry.name)
            of_program = "weights" in entry.marks and Path(str(named)).suffix == ""
            if "file" in entry.marks and named and not of_program and Path(named).exists():
                job = job.with_value(f"{group}.{entry.name}", str(Path(named).absolute()))
    return job


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


def _solvers() -> list[str]:
    from ptychogui.engine.solvers import AnySolver
    from ptychogui.params import members

    return sorted(members(AnySolver))
