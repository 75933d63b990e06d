"""One scan of a live source in the window: its frames, its file, its run, and what is done with them in threads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from ptychogui.gui.opened import Opened, Run
from ptychogui.gui.preview import Preview, longer_preview
from ptychogui.io.data import Data
from ptychogui.job import Job
from ptychogui.live.alarms import (
    Alarm,
    Look,
    drifting,
    frames_alarms,
    look_at,
    overlapping,
    position_alarms,
    probe_changed,
)
from ptychogui.live.buffer import Buffer
from ptychogui.live.feed import LiveFeed
from ptychogui.live.saver import Saver
from ptychogui.types import Complex, Dataset, Positions, Result, Snapshot

Phase = Literal["opening", "waiting", "preparing", "running", "ended", "failed"]

SETTLED = 10
"""Epochs after which the probe of a run is compared with that of the scan before."""
MOST_LOOKED_AT = 256
"""Frames that are looked at, at a time, for the maps of counts."""


@dataclass(frozen=True)
class Known:
    """What is known of a scan at one moment."""

    dataset: Dataset
    preview: Preview | None = None
    look: Look = field(default_factory=Look)
    to_come_m: Positions | None = None
    """Where frames are going to be that have not come yet."""
    alarms: tuple[Alarm, ...] = ()


@dataclass(eq=False)
class LiveScan:
    """A scan that comes, or came, from a source."""

    buffer: Buffer
    opened: Opened
    data: Data
    """What was said of the data when it began."""
    address: str
    feed: LiveFeed | None = None
    saver: Saver | None = None
    run: Run | None = None
    phase: Phase = "opening"
    known: Known | None = None
    busy: bool = False
    """Whether a thread looks at what has come."""
    told: dict[str, str] = field(default_factory=dict)
    """The warnings that were given, by their kinds; each is given once."""
    finished: bool = False
    """Whether its result was saved, or there is none."""

    @property
    def next_job(self) -> Job:
        """The job of the scan after this: the same, of frames that are in no file yet."""
        job = self.opened.job
        names = ("path", "positions", "positions_unit", "scan_shape", "scan_step_m", "exclude")
        data = job.data.model_copy(update={name: getattr(self.data, name) for name in names})
        return job.model_copy(update={"data": job.data if self.opened.feed is not None else data})

    @property
    def ready(self) -> bool:
        """Whether its run could begin, and has not."""
        return self.phase == "waiting" and self.feed is not None and self.feed.ready

    @property
    def unseen(self) -> bool:
        """Whether something has come since it was looked at last."""
        known = self.known
        if known is None or self.feed is None:
            return False
        return len(self.feed.arrived) > len(known.dataset.scan) or known.preview is None or not known.preview.complete

    @property
    def used(self) -> int:
        """Frames that the run works with."""
        if self.run is not None and self.run.result is not None:
            return len(self.run.result.scan)
        snapshot = self.run.snapshot if self.run is not None else None
        return len(snapshot.positions_m) if snapshot is not None and not snapshot.doing else 0


def open_feed(scan: LiveScan, data: Data, folder: Path) -> LiveFeed:
    """In a thread: what prepares the frames of a scan. Raises `InputError` where it cannot."""
    folder.mkdir(parents=True, exist_ok=True)
    return LiveFeed(scan.buffer, data, scan.address)


def prepare(scan: LiveScan, limit: float | None) -> Known:
    """In a thread: the scan as it is now. Raises `InputError` where it cannot be prepared."""
    assert scan.feed is not None
    return _seen(scan, scan.feed.first(), None, limit)


def look_again(scan: LiveScan, limit: float | None) -> Known:
    """In a thread: what is known now, of what has come since too."""
    known, feed = scan.known, scan.feed
    assert known is not None
    assert feed is not None
    return _seen(scan, feed.more(len(known.dataset.scan)) or known.dataset, known, limit)


def _seen(scan: LiveScan, dataset: Dataset, before: Known | None, limit: float | None) -> Known:
    assert scan.feed is not None
    look = look_at(scan.buffer, before.look if before is not None else None, limit)
    preview = longer_preview(before.preview if before is not None else None, dataset, MOST_LOOKED_AT)
    found = (*frames_alarms(look), *position_alarms(scan.buffer))
    if scan.run is not None and scan.run.snapshot is not None:
        found += tuple(_of_run(scan.run.snapshot, dataset, scan.buffer.ended, scan.feed.probe))
    return Known(dataset, preview, look, _to_come(scan.feed), found)


def _to_come(feed: LiveFeed) -> Positions | None:
    """The planned positions (n, 2) of frames that have not come."""
    numbers, planned_m = feed.buffer.planned, feed.planned_m
    if planned_m is None:
        return None
    numbers = numbers[: len(planned_m)]  # more may have become known between the two
    return planned_m[: len(numbers)][~np.isin(numbers, feed.buffer.arrived)]


def _of_run(snapshot: Snapshot, dataset: Dataset, over: bool, before: Complex | None) -> Iterator[Alarm]:
    """What the picture so far tells of a scan, once the probe is known well enough."""
    if snapshot.epoch < 1 or snapshot.probe.shape[1:] != dataset.geometry.shape:
        return
    count = min(len(snapshot.positions_m), len(dataset.scan))
    alarm = overlapping(dataset.scan, snapshot.probe, dataset.geometry.pixel_m)
    if alarm is not None:
        yield alarm
    alarm = drifting(dataset.scan.positions_m[:count], snapshot.positions_m[:count], "where they should be")
    if alarm is not None and over:
        yield alarm
    late = snapshot.epoch >= SETTLED
    if late and before is not None and (alarm := probe_changed(snapshot.probe, before)) is not None:
        yield alarm


def known_probe(job: Job, probe: Complex | None) -> Job:
    """The job of a run that begins with the probe of the scan before: its focus is not looked for again."""
    again = probe is not None and hasattr(job.start, "find_defocus")
    return job.with_value("start.find_defocus", False) if again else job


def saved_data(data: Data, scan: LiveScan, path: Path) -> Data:
    """What is said of the data once the frames are in a file, in the order in which they came, with positions."""
    excluded = tuple(np.flatnonzero(np.isin(scan.buffer.arrived, data.exclude)).tolist()) if data.exclude else ()
    unit = scan.buffer.positions_unit
    own = {"positions": None, "scan_shape": None, "scan_step_m": None, "exclude": excluded, "path": str(path)}
    return data.model_copy(update={**own, "positions_unit": "px" if unit == "px" else None})


def of_file(result: Result, data: Data) -> Result:
    """A result whose job names the file of the frames."""
    job = Job.from_toml(result.job)
    return replace(result, job=job.model_copy(update={"data": data}).toml())
