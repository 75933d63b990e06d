"""A data file that is open in the window, and the runs that were made of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ptychogui.geometry import Geometry
from ptychogui.gui.preview import Preview
from ptychogui.io.data import Data
from ptychogui.job import Job
from ptychogui.params import InputError, format_quantity
from ptychogui.types import Dataset, Notes, Real, Result, Snapshot

if TYPE_CHECKING:
    from ptychogui.live.buffer import Buffer
    from ptychogui.live.feed import LiveFeed


@dataclass(eq=False)
class Run:
    """One run: its last picture while it goes on, its result at the end; `state` is a word for the tree."""

    name: str
    job: Job
    state: str = ""
    number: int = 1
    """Its place among all runs of its file that there ever were."""
    initial: Result | None = None
    """What it goes on from."""
    parent: str = ""
    """The name of what it goes on from; '' where it begins from the data."""
    snapshot: Snapshot | None = None
    result: Result | None = None
    doing: str = ""
    """What is done before the first picture."""
    saved: Path | None = None
    opened_from_file: bool = False
    notes: Notes = field(default_factory=Notes)
    """What a person says of it; the result takes it along when it is written."""
    iterates: list[Result] = field(default_factory=list)
    """What was kept on the way, the earliest first."""

    @property
    def title(self) -> str:
        """The name with the stars that were given."""
        return f"{self.name}  {'★' * self.notes.stars}" if self.notes.stars else self.name

    @property
    def noted(self) -> Result | None:
        """The result with what a person says of it, as a file keeps it."""
        return None if self.result is None else replace(self.result, notes=self.notes)

    @property
    def loss(self) -> Real:
        """The loss of every epoch so far."""
        known = self.result or self.snapshot
        return np.zeros(0, np.float32) if known is None else known.loss

    @property
    def unsaved(self) -> bool:
        """Whether closing would lose this run's result."""
        return self.result is not None and self.saved is None


@dataclass(eq=False)
class Opened:
    """A file with the job that the form shows; `problem` says why `dataset` is None, or old."""

    path: str
    job: Job
    dataset: Dataset | None = None
    preview: Preview | None = None
    problem: str = ""
    reading: bool = False
    name: str = ""
    """Its title where it has no file: a scan of a live source whose frames were not saved."""
    feed: LiveFeed | None = None
    """What frames in memory are prepared by; None where they lie in a file."""
    growing: bool = False
    """Whether the scan is still being measured."""
    runs: list[Run] = field(default_factory=list)
    _last: int = 0
    _apart: tuple[Dataset, bool] | None = None

    @property
    def apart(self) -> bool:
        """Whether neighbouring positions are so far apart that their frames do not touch."""
        if self.dataset is None:
            return False
        if self._apart is None or self._apart[0] is not self.dataset:
            geometry = self.dataset.geometry
            window_m = max(n * d for n, d in zip(geometry.shape, geometry.pixel_m))
            self._apart = self.dataset, self.dataset.scan.step_m > window_m
        return self._apart[1]

    @property
    def title(self) -> str:
        """The name of the file, or of the scan where it has none."""
        return self.name or Path(self.path).name

    @property
    def waits(self) -> str:
        """What a scan without a dataset waits for, or why it has none; '' for a file."""
        if self.growing:
            return "waiting for frames"
        return "its frames were not saved" if self.name else ""

    def reader(self, data: Data) -> Callable[[], tuple[Data, Dataset]]:
        """What reads the data as `data` says, in a thread: from the file, or from the frames in memory."""
        if self.feed is None or data.path:
            return partial(read_data, data, beside=False)
        return partial(_read_frames, self.feed.buffer, data, self.name)

    @property
    def line(self) -> str:
        """What is in the file, in one line."""
        if self.dataset is None:
            return "The data of this result are not there." if self.runs else self.problem or self.waits
        count, ny, nx = self.dataset.frames.shape
        return f"{count} frames of {ny} × {nx}, {geometry_line(self.dataset.geometry)}"

    def next_run(self, job: Job | None = None, initial: Result | None = None, parent: str = "") -> Run:
        """A new run of a job, or of the one as it stands, with the next number."""
        job = job or self.job
        same = ((kind, len(list(stages))) for kind, stages in groupby(stage.kind for stage in job.stages))
        kinds = " → ".join(kind if count == 1 else f"{kind} ×{count}" for kind, count in same)
        number = self._last = 1 + max((self._last, *(run.number for run in self.runs)))
        run = Run(f"Run {number} · {kinds}", job, number=number, initial=initial, parent=parent)
        self.runs.append(run)
        return run

    def result_path(self, run: Run) -> Path:
        """A name beside the data (at home, if nobody may write there) that replaces no file."""
        stem = Path(self.path).name.split(".")[0]
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        folder = Path(self.path).absolute().parent
        folder = folder if os.access(folder, os.W_OK) else Path.home()
        return folder / f"{stem}_run{run.number}_{stamp}.h5"


def geometry_line(geometry: Geometry) -> str:
    """Field and pixel at the sample, in words."""
    pixel = f"pixel {format_quantity(float(f'{geometry.pixel_m[1]:.4g}'), 'm')}" if geometry.calibrated else "in pixels"
    return f"{geometry.field} field, {pixel}"


def read_file(path: str) -> Opened:
    """Read a data file or a result (and the data it was made of, if they are there). Raises `InputError`."""
    from ptychogui import io

    if not io.is_result(path):
        data, dataset = read_data(Data(path=path))
        return Opened(path, Job(data=data), dataset)
    result = io.read_result(path)
    job, problem = _job_of(result)
    opened = Opened(path, job)
    run = Run(Path(path).name, opened.job, "opened", result=result, saved=Path(path), opened_from_file=True)
    run.notes, run.parent = result.notes, result.provenance.get("parent", "")
    opened.runs.append(run)
    opened.job, opened.dataset, opened.problem = _data_of(opened.job, Path(path).parent)
    opened.problem = problem or opened.problem
    return opened


def read_data(data: Data, beside: bool = True) -> tuple[Data, Dataset]:
    """Read a scan; with it comes everything that is said of it, also in the TOML beside it. Raises `InputError`.

    What was read before knows of that TOML already, and may contradict it: then `beside` is False.
    """
    from ptychogui import io

    dataset = io.read(data, need_scan=False, beside=beside)
    return Data.read(dataset.data), dataset


def _read_frames(buffer: Buffer, data: Data, name: str) -> tuple[Data, Dataset]:
    """Prepare the frames that a source has sent. Raises `InputError`."""
    from ptychogui.live.feed import LiveFeed

    return data, LiveFeed(buffer, data, name).first()


def _job_of(result: Result) -> tuple[Job, str]:
    """The job of a result, or the defaults and a sentence where this version does not understand it."""
    try:
        return Job.from_toml(result.job), ""
    except InputError as error:
        return Job(), f"The parameters of this result are not understood, so the defaults are shown: {error}"


def _data_of(job: Job, folder: Path) -> tuple[Job, Dataset | None, str]:
    """The data of a result, from where they were or from beside the result."""
    places = [Path(job.data.path), folder / Path(job.data.path).name]
    there = next((place for place in places if job.data.path and place.exists()), None)
    if there is None:
        return job, None, f"The data of this result, '{job.data.path}', are not there: choose the file."
    job = job.model_copy(update={"data": job.data.model_copy(update={"path": str(there)})})
    try:
        data, dataset = read_data(job.data)
        return job.model_copy(update={"data": data}), dataset, ""
    except InputError as error:
        return job, None, str(error)
