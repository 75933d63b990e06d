"""Live scans: how fast each source is, how good a picture is while it comes, and whether anything is left behind."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from ptychogui.options import add_run, job_of
from ptychogui.params import InputError

_PARTS = ("rates", "quality", "soak")
_SIEMENS = Path("../shared/data/siemens.npz.bz2")
_INSTEAD = {"frames": 200, "shape": (64, 64), "probe_px": 18.0}
"""The simulated scan where the measured one is not there."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which parts, which sources, and the scan and the job of the pictures."""
    parser.add_argument(
        "file", nargs="?", help=f"scan for the quality; {_SIEMENS} where it is there, or a simulated one"
    )
    parser.add_argument("--part", action="append", choices=_PARTS, help="only this part; may be given again")
    parser.add_argument("--source", metavar="KIND", help="only this source")
    parser.add_argument(
        "--frames", type=int, default=8000, metavar="N", help="so many frames for the rates, all kept in memory"
    )
    parser.add_argument("--rate", type=float, default=50.0, metavar="N", help="frames a second for the quality")
    parser.add_argument("--minutes", type=float, default=1.0, metavar="N", help="how long the soak takes, in all")
    add_run(parser)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Make the parts that are asked for. Raises `InputError` where an option is wrong or the scan cannot be read."""
    from ptychogui.bench.live import places, quality, rates, soak

    sources = places.targets(options.source)
    if options.frames < 1 or not 0 < options.minutes < math.inf or not 0 < options.rate < math.inf:
        raise InputError("Give at least one frame with --frames, and a --rate and --minutes above 0.")
    with _scan(options.file) as path:
        options.file = str(path)
        job = job_of(options)
        made: dict[str, Callable[[], Any]] = {
            "rates": lambda: list(rates.rows(sources, options.frames)),
            "quality": lambda: quality.quality(job, options.rate),
            "soak": lambda: list(soak.rows(sources, options.minutes)),
        }
        return {part: {"found": made[part](), "load": _load()} for part in options.part or _PARTS}


def _load() -> float:
    """How many processes want a processor, on average over the last minute: what is measured beside them is slower."""
    return round(psutil.getloadavg()[0], 1)


def table(found: dict[str, Any]) -> str:
    """The parts as text, one after the other."""
    from ptychogui.bench.live import quality, rates, soak

    texts: dict[str, Callable[[Any], list[str]]] = {"rates": rates.table, "quality": quality.table, "soak": soak.table}
    lines: list[str] = []
    for part, one in found.items():
        lines += [f"{part} (load {one['load']} on {psutil.cpu_count()} processors)", *texts[part](one["found"]), ""]
    return "\n".join(lines[:-1])


@contextmanager
def _scan(file: str | None) -> Iterator[Path]:
    """The scan that was named, the measured one, or a simulated one for as long as it is needed."""
    from ptychogui import io
    from ptychogui.engine.simulate import recipes, simulate

    if file is not None or _SIEMENS.is_file():
        yield Path(file or _SIEMENS)
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "scan.cxi"
        io.write(simulate(recipes()["siemens-far"].read(_INSTEAD)), path)
        yield path
