"""Passes an epoch of every solver, as ratios that a busy machine does not change."""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ptychogui.params import InputError

if TYPE_CHECKING:
    from ptychogui.types import Dataset

_ROUNDS = 5
_FRAMES = {64: 516, 128: 516, 256: 256}
"""Frames of each side: at most 128 MB as complex64."""
_DEMANDS = dict.fromkeys(("epie", "rpie", "mpie"), (5.0, 7.0)) | {"adam": (6.0, 8.0)}
"""The most passes that an epoch may take, with positions at whole pixels and between them."""
_STRETCH = dict.fromkeys(("epie", "rpie", "mpie"), (3.5, 5.0))
"""What is hoped for."""
_POSITIONS = ("whole", "sub-pixel")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The scan and the solvers."""
    sides = ", ".join(f"{count} of {side}²" for side, count in _FRAMES.items())
    parser.add_argument("file", nargs="?", help=f"data file; without one, simulated scans of frames: {sides}")
    parser.add_argument("--solver", action="append", metavar="KIND", help="only this solver; may be given again")
    parser.add_argument("--side", action="append", type=int, choices=[*_FRAMES], help="only frames of this side")


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """One epoch of every solver against one pass, `fft2` + `ifft2` over the same stack, timed in turn.

    Raises `InputError` for a solver that does not exist.
    """
    from ptychogui import io
    from ptychogui.engine.solvers import AnySolver
    from ptychogui.io.data import Data
    from ptychogui.params import members

    every = list(members(AnySolver))
    for kind in options.solver or ():
        if kind not in every:
            raise InputError(f"There is no solver '{kind}': choose one of {', '.join(sorted(every))}.")
    if options.file:
        datasets = [io.read(Data(path=options.file))]
    else:
        datasets = [_simulated(side) for side in options.side or _FRAMES]
    return [
        _row(kind, positions, _placed(dataset, positions))
        for dataset in datasets
        for kind in options.solver or every
        for positions in _POSITIONS
    ]


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as text."""
    lines = [
        f"{'frames':<14}{'solver':<8}{'positions':<12}{'passes/epoch':>12}{'demand':>8}{'stretch':>8}{'s/epoch':>10}"
    ]
    for row in rows:
        cells = [row[name] if row[name] is not None else "" for name in ("demand", "stretch")]
        lines.append(
            f"{'×'.join(map(str, row['frames'])):<14}{row['solver']:<8}{row['positions']:<12}"
            f"{row['passes_per_epoch']:>12.2f}{cells[0]:>8}{cells[1]:>8}{row['seconds_per_epoch']:>10.4f}"
        )
    return "\n".join(lines)


def _simulated(side: int) -> Dataset:
    from ptychogui.engine.simulate import recipes, simulate

    values = {"frames": _FRAMES[side], "shape": (side, side), "probe_px": side * 0.28}
    return simulate(recipes()["siemens-far"].read(values))


def _placed(dataset: Dataset, positions: str) -> Dataset:
    """The dataset with positions at whole pixels or surely between them; what they are does not matter to the time."""
    pixel_m = np.array(dataset.geometry.pixel_m)
    places_px = np.rint(dataset.scan.positions_m / pixel_m)
    if positions != "whole":
        places_px += np.random.default_rng(0).uniform(-0.4, 0.4, places_px.shape)
    return replace(dataset, scan=replace(dataset.scan, positions_m=places_px * pixel_m), truth=None)


def _row(kind: str, positions: str, dataset: Dataset) -> dict[str, Any]:
    """The median of some rounds, in each of which an epoch is timed between two passes."""
    import torch

    from ptychogui.engine.refine import Refine
    from ptychogui.job import Job, iterate

    job = Job(refine=Refine.nothing()).with_value("solver.kind", kind).with_value("solver.epochs", _ROUNDS + 2)
    epochs = (item for item in iterate(job.with_value("start.find_defocus", False), dataset) if item.whole)
    next(epochs), next(epochs)  # the first epochs warm up and may leave the probe alone
    ratios, seconds = [], []
    for _ in range(_ROUNDS):
        before = _pass_s(dataset.frames.shape)
        begun = time.perf_counter()
        next(epochs)
        seconds.append(time.perf_counter() - begun)
        ratios.append(seconds[-1] / statistics.mean((before, _pass_s(dataset.frames.shape))))
    which = _POSITIONS.index(positions)
    return {
        "solver": kind,
        "frames": list(dataset.frames.shape),
        "positions": positions,
        "passes_per_epoch": round(statistics.median(ratios), 2),
        "demand": _DEMANDS[kind][which] if kind in _DEMANDS else None,
        "stretch": _STRETCH[kind][which] if kind in _STRETCH else None,
        "seconds_per_epoch": round(statistics.median(seconds), 4),
        "threads": torch.get_num_threads(),
    }


def _pass_s(shape: tuple[int, ...], batch: int = 16) -> float:
    """The median seconds of a bare pass over a stack of this shape, complex64, in batches as a solver takes them."""
    import torch

    waves = torch.randn(batch, *shape[1:], dtype=torch.complex64)
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        for _ in range(-(-shape[0] // batch)):
            torch.fft.ifft2(torch.fft.fft2(waves))
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * shape[0] / (batch * -(-shape[0] // batch))
