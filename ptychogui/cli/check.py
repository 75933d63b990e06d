"""`ptychogui check`: what would spoil a run, and the settings that mend it."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ptychogui.cli.arguments import Commands, add_command, add_set, job_of
from ptychogui.params import InputError

if TYPE_CHECKING:
    from ptychogui.check import Doubt
    from ptychogui.job import Job
    from ptychogui.types import Dataset

_MARKS = {"ok": " ", "doubt": "?", "wrong": "!"}


def add(commands: Commands) -> None:
    """The parser of this command."""
    check = add_command(commands, "check", _check, "Tell what would spoil a run, and the settings that mend it.")
    check.add_argument("file", help="data file or folder")
    check.add_argument("--job", metavar="J.toml", help="a job to begin with")
    check.add_argument("--solver", metavar="KIND", help="the solver whose time is measured")
    check.add_argument("--device", help="auto, cpu or cuda:0")
    check.add_argument("--json", action="store_true", help="print everything as one line of JSON")
    check.add_argument(
        "--apply",
        action="store_true",
        help="keep the fixes of the data in the TOML beside FILE, where a run finds them",
    )
    add_set(check, "data.energy_eV=8700")


def _check(options: argparse.Namespace) -> int:
    from ptychogui import io
    from ptychogui.check import fixed

    if io.is_result(options.file):
        raise InputError(f"{options.file} is a result; check the data file that it was made from.")
    job = job_of(options)
    dataset = io.read(job.data, need_scan=False)
    found = []
    for doubt in _doubts(job, dataset):
        found.append(doubt)
        if not options.json:
            _tell(doubt)
    if options.apply:
        kept = fixed(job.with_value("data", dict(dataset.data)), [d for d in found if _of_data(d)])
        target = io.write_sidecar(kept.data, options.file) if any(map(_of_data, found)) else None
        if not options.json:
            print(f"Kept in {target}." if target else "There is nothing to apply.")
    if options.json:
        print(json.dumps(_figures(found)))
    else:
        _advise(found, options)
    return 0


def _doubts(job: Job, dataset: Dataset) -> Iterator[Doubt]:
    """What is found, one by one, with a progress bar in a terminal."""
    from tqdm import tqdm

    from ptychogui.check import Doubt, check

    with tqdm(total=100, disable=not sys.stderr.isatty(), leave=False, bar_format="{l_bar}{bar}| {desc}") as bar:
        for item in check(job, dataset):
            if isinstance(item, Doubt):
                yield item
            else:
                bar.set_description_str(item.doing, refresh=False)
                bar.update(100 * item.done - bar.n)


def _tell(doubt: Doubt) -> None:
    from tqdm import tqdm

    tqdm.write(f"{_MARKS[doubt.level]} {doubt.name:<14} {doubt.sentence}", file=sys.stdout)


def _of_data(doubt: Doubt) -> bool:
    return bool(doubt.fix) and all(path.startswith("data.") for path in doubt.fix)


def _figures(found: list[Doubt]) -> dict[str, object]:
    """What `--json` prints."""
    from ptychogui.check import settings

    return {
        "doubts": [
            {
                "name": doubt.name,
                "level": doubt.level,
                "sentence": doubt.sentence,
                "figures": dict(doubt.figures),
                "fix": dict(doubt.fix),
                "set": settings(doubt),
            }
            for doubt in found
        ],
        "wrong": sum(doubt.level == "wrong" for doubt in found),
        "doubtful": sum(doubt.level == "doubt" for doubt in found),
    }


def _advise(found: list[Doubt], options: argparse.Namespace) -> None:
    """The flags that apply every fix to a run."""
    from ptychogui.check import settings

    changes = [s for doubt in found if not (options.apply and _of_data(doubt)) for s in settings(doubt)]
    if changes:
        flags = " ".join(f"--set {shlex.quote(change)}" for change in changes)
        print(f"To apply: ptychogui run {shlex.quote(options.file)} -o RESULT.h5 {flags}")
