"""A job says everything about a run; here it is run, in this process."""

from __future__ import annotations

import hashlib
import math
import time
import tomllib
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import tomli_w
from pydantic import Field

from ptychogui.engine.constraints import Constraints
from ptychogui.engine.models import AnyModel
from ptychogui.engine.models.thin import Thin
from ptychogui.engine.penalties import Penalties
from ptychogui.engine.refine import Refine
from ptychogui.engine.solvers import AnySolver
from ptychogui.engine.solvers.adam import Adam
from ptychogui.engine.start import AnyStart
from ptychogui.engine.start.data import FromData
from ptychogui.engine.start.file import FromFile
from ptychogui.engine.start.guessed import Guessed
from ptychogui.engine.stopping import Stopping
from ptychogui.io.data import Data
from ptychogui.params import Index, InputError, Params
from ptychogui.types import Dataset, Feed, Pattern, Real, Result, Snapshot

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.solvers.base import Iterate, Plan

_SNAPSHOT_S = 0.1
_SNAPSHOT_SHARE = 20.0
"""A snapshot is made at most so often, and takes at most a twentieth of the time."""
_REST = 0.3
"""The part of the first stage that is done in any case when a scan is over, however often its frames had their turn."""


class Job(Params):
    """Data, model, start, solver, constraints, device and seed: everything that makes a result."""

    version: Literal[1] = 1
    data: Data = Data()
    """What is read, and how."""
    model: AnyModel = Thin()
    """How sample and probe make the wave behind the sample."""
    start: AnyStart = FromData()
    """The first guess."""
    solver: AnySolver | Annotated[tuple[AnySolver, ...], Field(min_length=1)] = Adam()
    """The solver, or a list of stages that follow each other."""
    refine: Refine = Refine()
    """What is solved together with object and probe."""
    penalties: Penalties = Penalties()
    """What is added to the loss."""
    constraints: Constraints = Constraints()
    """What is imposed between epochs."""
    stop: Stopping = Stopping()
    """What ends a run that has nothing more to gain."""
    device: str = "auto"
    """Where to compute: auto (a graphics card where there is one), cpu, cuda:0. One that is not there is told
    before the run."""
    seed: Index = 0
    """Seed of everything random; the same seed gives the same result on the same machine."""

    @property
    def stages(self) -> tuple[AnySolver, ...]:
        """The solvers in their order."""
        return self.solver if isinstance(self.solver, tuple) else (self.solver,)

    def toml(self) -> str:
        """The job as a TOML text; values that are not set are left out."""
        return tomli_w.dumps(self.plain())

    @classmethod
    def from_toml(cls, text: str) -> Job:
        """Read a job. Raises `InputError` with one sentence where the text or a value is wrong."""
        try:
            return cls.read(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"The job is not valid TOML: {error}.") from error


@dataclass(frozen=True)
class Request:
    """What may be sent to `snapshots` between two of its items; what is None or False stays as it is."""

    job: Job | None = None
    frame: int | None = None
    stop: bool = False
    result: bool = False
    iterate: bool = False
    """The state as a result without the figures that take a pass over all frames; it may be asked for often."""


def iterate(job: Job, dataset: Dataset, initial: Result | None = None) -> Generator[Iterate, Job | None, None]:
    """Run a job in this process and yield its state after every batch and every epoch, as tensors.

    `initial` is an earlier result to go on from. `send` a changed job, `close` to stop. Raises
    `InputError` where job and data do not fit.
    """
    run = _Run(job, dataset, initial)
    for _ in run.search():
        pass
    for item in run.iterates():
        changed = yield item
        if changed is not None:
            run.change(changed)


def snapshots(
    job: Job, dataset: Dataset, *, initial: Result | None = None, frame: int = 0, feed: Feed | None = None
) -> Generator[Snapshot | Result, Request | None, None]:
    """Run a job in this process and yield plain data: a snapshot about every tenth of a second, at last the result.

    `send` a `Request` between two items. The last item is always the result, after a snapshot whose `ended` says why;
    an error in the run, though not in the search for a first guess, yields the result so far before it is raised.
    `initial` continues from a result in memory, `frame` is the one whose pattern is shown. With a `feed` the dataset
    is what has come of a scan until now: the run takes in what comes, and does the job when the scan is over. While a
    first guess is searched for, `doing` says so; the first snapshot without it is the state from which the first epoch
    starts.
    """
    run = _Run(job, dataset, initial)
    growth = run.iterates(feed) if feed is not None else ()
    loop, ended, shown, cost = chain(run.search(), growth, run.iterates()), "", time.monotonic(), 0.0
    request = yield run.snapshot(frame)
    while not ended:
        if request is not None:
            frame = frame if request.frame is None else request.frame
            if request.job is not None:
                run.change(request.job)
            if request.stop:
                break
            if request.result or request.iterate:
                request = yield run.result(measured=request.result)
                continue
            request = None
        searching = bool(run.doing)
        try:
            next(loop)
        except StopIteration:
            ended = "finished"
        except Exception as error:  # the border of the run: what it has reached is kept, whatever went wrong
            if searching:  # it has not begun: no file of an earlier run gives way to this
                raise
            try:
                kept = run.result()
            except (MemoryError, RuntimeError, ValueError):  # it must not hide what went wrong first
                raise error from None
            yield kept
            raise
        begins = searching and not run.doing  # the state from which the first epoch starts is always shown
        if begins or time.monotonic() - shown >= max(_SNAPSHOT_S, _SNAPSHOT_SHARE * cost):
            begun = time.monotonic()
            snapshot = run.snapshot(frame)
            shown = time.monotonic()
            cost = shown - begun
            request = yield snapshot
    yield run.snapshot(frame, ended=ended or "stopped")
    yield run.result()


def run(job: Job, dataset: Dataset | None = None, initial: Result | None = None) -> Result:
    """Run a job to its end; reads `job.data` where no dataset is given.

    Raises `InputError` where job and data do not fit.
    """
    from ptychogui import io

    whole = _Run(job, io.read(job.data) if dataset is None else dataset, initial)
    for _ in chain(whole.search(), whole.iterates()):
        pass
    return whole.result()


def pattern_of(result: Result, dataset: Dataset, frame: int) -> Pattern:
    """One measured frame beside what a result says of it, worked out on the processor.

    Raises `InputError` where the job of the result is not understood, or its frames are others than those of the data.
    """
    from ptychogui.engine import report

    return report.pattern_of(result, dataset, Job.from_toml(result.job).model, frame)


def is_of(result: Result, dataset: Dataset) -> bool:
    """Whether a result was made of these very frames and positions, as far as it says; reads some of the frames."""
    return result.provenance.get("data_hash") in (None, _hash(dataset))


class _Run:
    """One run: its problem and state, and the plain data that can be made of them at any time."""

    def __init__(self, job: Job, dataset: Dataset, initial: Result | None) -> None:
        from ptychogui import io
        from ptychogui.engine.coarse import level
        from ptychogui.engine.device import device_of
        from ptychogui.engine.problem import problem
        from ptychogui.engine.report import lit_box

        if initial is None and isinstance(job.start, FromFile) and job.start.path:
            initial = io.read_result(job.start.path)
        start: AnyStart = job.start
        if initial is not None and not isinstance(start, FromFile):  # go on, with more modes where more are wanted
            wanted = start.modes if isinstance(start, Guessed) else 1
            start = FromFile(modes=max(wanted, len(initial.probe.modes)))
        if job.data == Data() and dataset.data:  # read by hand: the result has to know what it was made from
            job = job.model_copy(update={"data": Data.read(dataset.data)})
        if initial is not None:  # what was found of the optics stays
            known = {name: float(value) for name, value in initial.unknowns.items() if name.endswith("_m")}
            dataset = dataset.with_geometry(**known)
        self.job, self.dataset = job, dataset
        self.data_hash = _hash(dataset)  # now: at the end of a long run the file may be out of reach
        self.problem = problem(dataset, job.model, device_of(job.device), room_px=job.refine.margin_px)
        self.guesses = start.guesses(self.problem, dataset, initial, job.seed)
        self.state, self.doing, said = next(self.guesses)
        self.level = level(self.problem, self.state, 1)
        self.box = lit_box(self.state)
        self.losses: list[Tensor] = []
        self.stage_epochs: list[int] = []
        self.epoch, self.whole, self.stage, self.changed = 0, True, 0, False
        self.changes: list[str] = []
        self.messages: list[str] = [*said]
        self.begun_at = datetime.now(UTC).isoformat(timespec="seconds")
        self.seconds, self.search_seconds = 0.0, 0.0
        self.live_epochs = self.turns = 0
        """Epochs made while the scan was running, and the turns that every frame had then."""

    @property
    def plan(self) -> Plan:
        """The part of the job that the loop needs."""
        from ptychogui.engine.solvers.base import Plan

        job = self.job
        first, *others = job.stages
        if self.turns:  # what every frame has had need not be done again
            left = max(first.epochs - self.turns, math.ceil(_REST * first.epochs))
            first = first.model_copy(update={"epochs": left})
        return Plan((first, *others), job.constraints, job.seed, job.refine, job.stop, job.penalties)

    def search(self) -> Generator[None, None, None]:
        """The search for a first guess, where the start has one, with its clock; yields after each trial."""
        from ptychogui.engine.report import lit_box

        while self.doing:
            begun = time.monotonic()
            _, self.doing, said = next(self.guesses)
            self.messages += said
            self.search_seconds += time.monotonic() - begun
            self.box = lit_box(self.state)
            yield

    def iterates(self, feed: Feed | None = None) -> Generator[Iterate, None, None]:
        """The engine's loop, with its clock, its curve and its messages kept, and changes of the job passed on.

        With a `feed` that which takes in frames while they come; its epochs are not those of the job.
        """
        from ptychogui.engine.growing import grow
        from ptychogui.engine.report import lit_box
        from ptychogui.engine.solvers.base import iterate as loop_of

        if feed is not None:
            loop: Generator[Iterate, Plan | None, int | None] = grow(
                self.problem, self.state, self.plan, feed, self._take
            )
        else:
            loop = loop_of(self.problem, self.state, self.plan)
        before, self.changed = len(self.losses), False
        while True:
            plan, self.changed = self.plan if self.changed else None, False
            begun = time.monotonic()
            try:
                item = loop.send(plan)
            except StopIteration as end:
                self.turns = end.value or self.turns
                return
            finally:
                self.seconds += time.monotonic() - begun
            self.epoch, self.whole, self.stage = before + item.epoch, item.whole, item.stage
            if item.level is not self.level or (feed is not None and item.whole):
                self.level, self.box = item.level, lit_box(item.state)
            if item.whole:
                self.losses.append(item.loss)
                self.live_epochs += feed is not None
                self.stage_epochs += [0] * (item.stage + 1 - len(self.stage_epochs))
                self.stage_epochs[item.stage] += 1
            self.messages += item.messages
            yield item

    def _take(self, dataset: Dataset) -> None:
        """The scan has grown, and with it the part of the canvas that is lit."""
        from ptychogui.engine.report import lit_box

        self.dataset, self.data_hash = dataset, ""
        self.box = lit_box(self.state)

    def change(self, job: Job) -> None:
        """Take over what a running job may change: solver, unknowns, penalties, constraints and what ends it."""
        live = ("solver", "refine", "penalties", "constraints", "stop")
        running = self.job.model_copy(update={name: getattr(job, name) for name in live})
        if running != self.job:
            self.changes.append(f"epoch {self.epoch}: {_difference(self.job, running)}")
            self.job, self.changed = running, True

    def snapshot(self, frame: int, ended: str = "") -> Snapshot:
        """The state as a window shows it; takes the messages that have gathered."""
        from ptychogui.engine import report

        problem, state = self.level.problem, self.level.state
        image, pixel_m, origin_m = report.preview(problem, state, self.box)
        messages, self.messages = tuple(self.messages), []
        return Snapshot(
            epoch=self.epoch,
            epochs=self.live_epochs + self.plan.epochs,
            whole=self.whole,
            preview=image,
            preview_pixel_m=pixel_m,
            preview_origin_m=origin_m,
            probe=report.probe_modes(state),
            positions_m=report.positions_m(problem, state),
            loss=self.loss,
            pattern=report.pattern(problem, state, frame),
            seconds=self.search_seconds + self.seconds,
            seconds_per_epoch=self.seconds / max(len(self.losses), 1),
            device=str(self.problem.device),
            memory_bytes=report.memory_bytes(self.problem.device),
            messages=messages,
            ended=ended,
            stage=self.stage,
            stage_epochs=tuple(self.stage_epochs),
            unknowns=report.figures(problem, state),
            doing=self.doing,
        )

    @property
    def loss(self) -> Real:
        """The loss of every finished epoch."""
        return np.array([float(value) for value in self.losses], np.float32)

    def result(self, measured: bool = True) -> Result:
        """The state as a file keeps it; `measured` says whether with the figures that take a pass over all frames."""
        from ptychogui.engine import report

        self.level.restore()
        provenance = {
            "program": f"ptychogui {version('ptychogui')}",
            "data": self.dataset.source,
            "data_hash": self.data_hash or _hash(self.dataset),
            "device": str(self.problem.device),
            "seed": str(self.job.seed),
            "begun": self.begun_at,
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
            "epochs": str(len(self.losses)),
            "changes": "\n".join(self.changes),
        }
        seconds, job = self.search_seconds + self.seconds, self.job.toml()
        return report.result(self.problem, self.state, self.dataset, self.loss, job, provenance, seconds, measured)


def _difference(old: Params, new: Params) -> str:
    """The parameters in which two jobs differ, as a person would set them."""
    a, b = _flat(old.plain()), _flat(new.plain())
    return ", ".join(f"{key}={b.get(key)}" for key in sorted(a.keys() | b.keys()) if a.get(key) != b.get(key))


def _flat(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in values.items():
        out |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return out


def _hash(dataset: Dataset) -> str:
    """A fingerprint of the data: shape, positions and a sample of the frames."""
    digest = hashlib.sha256(str(dataset.frames.shape).encode())
    digest.update(np.ascontiguousarray(dataset.scan.positions_m).tobytes())
    for frame in np.unique(np.linspace(0, len(dataset.scan) - 1, 16).astype(int)):
        digest.update(np.ascontiguousarray(dataset.frames[int(frame) : int(frame) + 1]).tobytes())
    return digest.hexdigest()[:16]
