"""Passes an epoch for every solver, as ratios that a busy machine does not change."""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

_ROUNDS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The scan to measure on."""
    parser.add_argument("file", nargs="?", help="data file; without one, a simulated scan of 516 frames of 128²")


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Every solver on the scan of the options."""
    return passes(options.file)


def passes(path: str | None = None) -> list[dict[str, Any]]:
    """One epoch of every solver against one pass, `fft2` + `ifft2` over the same stack, timed in turn.

    Without a path, a simulated scan of 516 frames of 128² at sub-pixel positions is taken.
    """
    import torch

    from ptychogui import io
    from ptychogui.engine.simulate import recipes, simulate
    from ptychogui.engine.solvers import AnySolver
    from ptychogui.io.data import Data
    from ptychogui.job import Job, iterate
    from ptychogui.params import members

    dataset = io.read(Data(path=path)) if path else simulate(recipes()["siemens-far"].read({"frames": 516}))
    rows = []
    for kind in members(AnySolver):
        job = Job().with_value("solver.kind", kind).with_value("solver.epochs", _ROUNDS + 2)
        epochs = (item for item in iterate(job, dataset) if item.whole)
        next(epochs), next(epochs)  # the first epochs warm up and may leave the probe alone
        ratios, seconds = [], []
        for _ in range(_ROUNDS):
            before = _pass_s(dataset.frames.shape)
            begun = time.perf_counter()
            next(epochs)
            seconds.append(time.perf_counter() - begun)
            ratios.append(seconds[-1] / statistics.mean((before, _pass_s(dataset.frames.shape))))
        rows.append(
            {
                "solver": kind,
                "frames": list(dataset.frames.shape),
                "passes_per_epoch": round(statistics.median(ratios), 2),
                "seconds_per_epoch": round(statistics.median(seconds), 4),
                "threads": torch.get_num_threads(),
            }
        )
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as text."""
    lines = [f"{'solver':<8}{'passes/epoch':>14}{'s/epoch':>10}   frames"]
    for row in rows:
        shape = "×".join(map(str, row["frames"]))
        lines.append(f"{row['solver']:<8}{row['passes_per_epoch']:>14}{row['seconds_per_epoch']:>10}   {shape}")
    return "\n".join(lines)


def _pass_s(shape: tuple[int, ...], batch: int = 16) -> float:
    """The median seconds of a bare pass over a stack of this shape, complex64, in batches as a solver takes them."""
    import torch

    waves = torch.randn(batch, *shape[1:], dtype=torch.complex64)
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        for _ in range(-(-shape[0] // batch)):
            torch.fft.ifft2(torch.fft.fft2(waves))
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * shape[0] / (batch * -(-shape[0] // batch))
