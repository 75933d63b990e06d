"""`ptychogui replay`: a data file sent as a detector would send it, as a rehearsal of a live scan."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ptychogui.cli.arguments import Commands, add_command, add_set, job_of
from ptychogui.params import InputError

if TYPE_CHECKING:
    from ptychogui.live.replayed import Replayed
    from ptychogui.live.source import Source


def add(commands: Commands) -> None:
    """The parser of this command."""
    text = "Send a scan as a detector would, to rehearse a live reconstruction: `ptychogui live ADDRESS` listens."
    replay = add_command(commands, "replay", _replay, text)
    replay.add_argument("file", nargs="?", metavar="FILE", help="data file")
    replay.add_argument("--to", metavar="ADDRESS", help="how and where it is sent, as pva:NAME; --list shows them all")
    replay.add_argument("--list", action="store_true", help="list the addresses that can be sent to")
    replay.add_argument("--rate", type=float, default=50.0, metavar="N", help="frames a second; 0: as fast as it goes")
    replay.add_argument("--times", type=int, default=1, metavar="N", help="so many scans, one after the other")
    replay.add_argument("--drop", type=float, default=0.0, metavar="PART", help="leave out this part of the frames")
    replay.add_argument("--double", type=float, default=0.0, metavar="PART", help="send this part of them twice")
    replay.add_argument("--shuffle", type=int, default=0, metavar="N", help="let up to N later frames overtake each")
    replay.add_argument("--seed", type=int, default=0, metavar="N", help="of what is left out, doubled and shuffled")
    add_set(replay, "data.bin=2")


def _replay(options: argparse.Namespace) -> int:
    if options.list:
        print("\n".join(_listed()))
        return 0
    if not options.file or not options.to:
        raise InputError("Name a file and an address, as `replay scan.cxi --to pva:NAME`; --list shows the addresses.")
    _check(options)
    from tqdm import tqdm

    from ptychogui import io
    from ptychogui.live import source_of
    from ptychogui.live.replayed import Replayed, disordered

    source = source_of(options.to)
    if type(source) not in _targets():
        raise InputError(f"{options.to} is a source only: replay to one of the addresses that --list shows.")
    dataset = io.read(job_of(options).data)
    for warning in dataset.warnings:
        print(f"ptychogui: {warning}", file=sys.stderr)
    order = disordered(len(dataset.scan), options.drop, options.double, options.shuffle, options.seed)
    with tqdm(total=options.times * len(order), unit="frame", disable=not sys.stderr.isatty()) as bar:
        scan = Replayed(dataset, options.rate, order, options.times, bar.update)
        print(f"{Path(options.file).name}: {_told(scan)}, to {source.address}; Ctrl-C ends it.", flush=True)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # also where this began with it ignored
        asyncio.run(source.send(scan))
    return 0


def _told(scan: Replayed) -> str:
    ny, nx = scan.shape
    pace = f"{scan.rate:g} a second" if scan.rate else "as fast as it goes"
    return f"{len(scan)} frames of {ny} × {nx}, {pace}" + (f", {scan.times} times" if scan.times > 1 else "")


def _check(options: argparse.Namespace) -> None:
    if not 0 <= options.rate < float("inf"):
        raise InputError(f"--rate is {options.rate:g}, but frames a second are 0 or more; 0 is as fast as it goes.")
    if options.times < 1:
        raise InputError(f"--times is {options.times}, but a scan is sent once or more.")
    for name in ("drop", "double"):
        part = getattr(options, name)
        if not 0 <= part < 1:
            raise InputError(f"--{name} is {part:g}, but a part of the frames lies from 0 to less than 1.")
    if options.shuffle < 0 or options.seed < 0:
        raise InputError("--shuffle and --seed are whole numbers from 0 on; give such ones.")


def _listed() -> Iterator[str]:
    """Every kind of address but that of a file, with what it is and what one should know before."""
    for cls in _targets():
        yield f"{cls.example:<32}{(cls.__doc__ or '').splitlines()[0]}"
        if cls.caution:
            yield f"{'':<32}{cls.caution}"


def _targets() -> Iterator[type[Source]]:
    from ptychogui.live import AnySource
    from ptychogui.live.replay import Replay
    from ptychogui.live.source import Source
    from ptychogui.params import members

    for cls in members(AnySource).values():
        if issubclass(cls, Source) and cls is not Replay:
            yield cls
