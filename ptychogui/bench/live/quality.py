"""A scan that is reconstructed while it is replayed, beside the same frames reconstructed afterwards."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ptychogui.params import InputError

if TYPE_CHECKING:
    from ptychogui.job import Job, Request
    from ptychogui.live.feed import LiveFeed
    from ptychogui.types import Dataset, Result, Snapshot

_QUARTERS = (0.25, 0.5, 0.75, 1.0)
_GLANCES = tuple(part / 50 for part in range(2, 26))
"""Parts of the scan at which the picture is looked at, to tell when one could see what it is."""
_ALIKE = 0.7
"""A picture whose phase has this correlation with that of the final one is recognised."""
_WAIT_S = 0.02


@dataclass(frozen=True)
class Look:
    """The state of a live run when `frames` had come, each of which had had so many `turns`."""

    frames: int
    turns: float
    result: Result


@dataclass
class Watched:
    """A live run from its beginning to its end; `after_s` from the last frame to the final result."""

    glances: list[Look] = field(default_factory=list)
    quarters: list[Look] = field(default_factory=list)
    final: Result | None = None
    after_s: float = 0.0


def quality(job: Job, rate: float) -> dict[str, Any]:
    """Plain data: the quarters of the scan, the first picture, and the end. Raises `InputError` for a bad scan."""
    from ptychogui import io
    from ptychogui.job import run

    dataset = replace(io.read(job.data), truth=None)
    count = len(dataset.scan)
    whole = run(job, dataset)
    seen = _watched(job, rate, count)
    assert seen.final is not None
    pictures = [(round(look.frames / count, 3), _correlation(whole, look.result)) for look in seen.glances]
    return {
        "file": job.data.path,
        "frames": [count, *dataset.frames.shape[1:]],
        "rate": rate,
        "quarters": [_beside(job, dataset, look, whole) for look in seen.quarters],
        "final": _figures(seen.final, whole) | {"epochs": len(seen.final.loss), "offline": _figures(whole, whole)},
        "pictures": pictures,
        "first_picture": next((part for part, alike in pictures if alike >= _ALIKE), None),
        "after_s": round(seen.after_s, 1),
    }


def table(found: dict[str, Any]) -> list[str]:
    """The same as text."""
    count, ny, nx = found["frames"]
    final = found["final"]
    rows = [*found["quarters"], {"part": 1.0, "frames": count, **final}]
    lines = [
        f"{found['file']}: {count} frames of {ny} × {nx}, {found['rate']:g} a second",
        f"{'':<10}{'frames':>8}{'epochs':>8}{'R live':>10}{'R offline':>11}{'error live':>12}{'error offline':>15}",
    ]
    for row in rows:
        name = "final" if row["offline"]["object_nrmse"] is None else f"{row['part']:.0%}"
        cells = [row["r_factor"], row["offline"]["r_factor"], row["object_nrmse"], row["offline"]["object_nrmse"]]
        texts = [f"{cell:.4f}" if cell is not None else "" for cell in cells]
        wide = "".join(f"{text:>{width}}" for text, width in zip(texts, (10, 11, 12, 15), strict=True))
        lines.append(f"{name:<10}{row['frames']:>8}{row['epochs']:>8}{wide}")
    first = found["first_picture"]
    when = f"after {first:.0%} of the frames" if first is not None else "not while the first half came"
    return [
        *lines,
        "Errors are NRMSE of the object against the final offline result, where both were scanned.",
        f"First recognisable picture {when}; final one {found['after_s']:g} s after the last frame.",
    ]


def _watched(job: Job, rate: float, count: int) -> Watched:
    """Reconstruct the scan while it is replayed, and look at it now and then."""
    from ptychogui.job import snapshots
    from ptychogui.live.feed import LiveFeed
    from ptychogui.live.receiver import Receiver
    from ptychogui.live.replay import Replay

    receiver = Receiver(Replay(path=job.data.path, rate=rate))
    receiver.start()
    try:
        while receiver.scan is None and not receiver.error:
            time.sleep(_WAIT_S)
        if receiver.scan is None:
            raise InputError(receiver.error)
        feed = LiveFeed(receiver.scan, job.data, receiver.source.address)
        while not feed.ready:
            time.sleep(_WAIT_S)
        return _looked_at(snapshots(job, feed.first(), feed=feed), feed, count)
    finally:
        receiver.stop()


def _looked_at(loop: Generator[Snapshot | Result, Request | None, None], feed: LiveFeed, count: int) -> Watched:
    from ptychogui.job import Request
    from ptychogui.types import Result

    seen, glances, quarters = Watched(), list(_GLANCES), list(_QUARTERS)
    turns, epoch, ended_at = 0.0, 0, None
    for item in loop:
        if isinstance(item, Result):
            seen.final, seen.after_s = item, time.monotonic() - (ended_at or time.monotonic())
            break
        if feed.ended and ended_at is None:
            ended_at = time.monotonic()
        here = len(item.positions_m)
        turns, epoch = turns + (item.epoch - epoch) * here, item.epoch
        for due, looks, request in (
            (quarters, seen.quarters, Request(result=True)),
            (glances, seen.glances, Request(iterate=True)),
        ):
            if item.ended or item.doing or not due or here < due[0] * count:
                continue
            begun = time.monotonic()
            result = loop.send(request)
            assert isinstance(result, Result)
            looks.append(Look(here, turns / here, result))
            due[:] = [part for part in due if part * count > here]
            if ended_at is not None:  # what this measure costs is not waited for in earnest
                ended_at += time.monotonic() - begun
    return seen


def _beside(job: Job, dataset: Dataset, look: Look, whole: Result) -> dict[str, Any]:
    """The state of a live run, and what becomes of the same frames in as many epochs when they are all there."""
    from ptychogui.job import run

    epochs = max(1, round(look.turns))
    part = dataset.part(np.arange(look.frames))
    offline = run(job.with_value("solver.epochs", epochs), part)
    about = {"part": round(look.frames / len(dataset.scan), 3), "frames": look.frames, "epochs": epochs}
    return about | _figures(look.result, whole) | {"offline": _figures(offline, whole)}


def _figures(result: Result, whole: Result) -> dict[str, float | None]:
    from ptychogui.comparison import compare

    error = None if result is whole else round(compare(whole, result).nrmse, 4)
    return {"r_factor": round(result.metrics["r_factor"], 4), "object_nrmse": error}


def _correlation(whole: Result, result: Result) -> float:
    """That of the phases, where both were scanned; 0 where too little was."""
    from ptychogui.comparison import compare

    try:
        found = compare(whole, result)
    except InputError:
        return 0.0
    first, second = (np.angle(one[found.support]) for one in (found.first, found.second))
    return round(float(np.corrcoef(first, second)[0, 1]), 3)
