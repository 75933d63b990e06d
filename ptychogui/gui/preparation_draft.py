"""The preparation of the selected file while it is being changed: tried on a sample of frames, then part of the job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from PyQt6.QtCore import QObject, pyqtSignal

from ptychogui.gui.opened import Opened
from ptychogui.gui.session import Session
from ptychogui.io import detect, geometry, preparation, reading, survey
from ptychogui.io.correction import weights
from ptychogui.io.data import PREPARATION, Data
from ptychogui.io.prepare import Layout
from ptychogui.io.raw import Raw
from ptychogui.params import InputError
from ptychogui.types import Mask, Real


@dataclass(frozen=True, eq=False)
class Look:
    """What was read of a file: its content, a sample of its frames, and their mean (ny, nx) as it was measured.

    `most` is the largest count, `lit` the least and the largest mean of pixels that hold any.
    """

    raw: Raw
    far: bool
    seen: survey.Survey
    measured: Real
    most: float
    lit: tuple[float, float]
    key: tuple[object, ...]
    _turned: dict[Layout, Real] = field(default_factory=dict)

    def turned(self, whole: Layout) -> Real:
        """The measured mean as it is shown; the same array for the same layout, so that it is drawn once."""
        if whole not in self._turned:
            self._turned.clear()
            self._turned[whole] = whole.turned(self.measured)
        return self._turned[whole]


@dataclass(frozen=True)
class Trial:
    """What some settings make of the sample.

    `detector` is the measured mean of the whole frame after the flip, with zero frequency in the middle, and `unused`
    is True there for what is left out. `prepared` (ny, nx) is the mean of prepared frames, `used` their mask.
    `saturated` values of the `looked_at` frames are above the limit.
    """

    data: Data
    plan: preparation.Plan
    detector: Real
    unused: Mask
    prepared: Real
    used: Mask
    saturated: int
    looked_at: int
    frames: int

    @property
    def whole(self) -> Layout:
        """How a frame of the file becomes the one that is shown."""
        layout = self.plan.layout
        return Layout(layout.from_corner, layout.flip, (0, 0), (1, 1), 1)

    @property
    def unflipped(self) -> Layout:
        """How the frame that shapes are painted on becomes the one that is shown."""
        return Layout(False, self.plan.layout.flip, (0, 0), (1, 1), 1)

    @property
    def detector_shape(self) -> tuple[int, int]:
        """The size (ny, nx) of a frame before the flip."""
        ny, nx = self.detector.shape
        return (nx, ny) if self.plan.layout.flip.startswith("t") else (ny, nx)


def looked(data: Data) -> Look:
    """Read a sample of the frames. Raises `InputError`."""
    _, _, raw = reading.opened(data, beside=False)
    seen = survey.survey(raw, data)
    measured = detect.mean_pattern(seen.counts, np.ones_like(seen.gaps))
    mean = seen.mean[~seen.blind & (seen.mean > 0)]
    lit = (float(mean.min()), float(mean.max())) if mean.size else (1e-3, 1.0)
    most = float(np.nanmax(seen.counts, initial=1.0))
    return Look(raw, geometry.field_of(raw, data)[0] == "far", seen, measured, most, lit, _key(data))


def _key(data: Data) -> tuple[object, ...]:
    """The values on which a look depends."""
    return tuple(value for name, value in dict(data).items() if name not in PREPARATION or name in survey.SURVEYED)


def tried(look: Look, data: Data) -> Trial:
    """What `data` makes of the sample that was looked at. Raises `InputError` where it cannot be."""
    seen = look.seen
    made = preparation.plan(look.raw, data, look.far, seen)
    weights(look.raw, data, seen.numbers)  # says so where there is no monitor, or one that does not fit
    layout, mean, saturated = made.layout, seen.mean, 0
    if data.saturation is not None:
        over = seen.counts >= data.saturation
        saturated = int(over.sum())
        mean = detect.mean_pattern(np.where(over, np.float32(np.nan), seen.sample), np.ones_like(seen.gaps))
    used = layout.mask(made.mask)
    prepared = np.where(used, layout.frames(np.maximum(mean, 0)[None])[0], np.float32(0))
    whole = Layout(layout.from_corner, layout.flip, (0, 0), (1, 1), 1)
    return Trial(
        data,
        made,
        look.turned(whole),
        whole.turned(~made.mask),
        prepared,
        used,
        saturated,
        len(seen.counts),
        len(seen.numbers),
    )


def _tried(look: Look | None, data: Data) -> tuple[Look, Trial | None, str]:
    """A look that fits, what is made of it, and what is wrong with that."""
    if look is None or look.key != _key(data):
        look = looked(data)
    try:
        return look, tried(look, data), ""
    except InputError as error:
        return look, None, str(error)


class Draft(QObject):
    """Settings that are tried at once, and become part of the job when they hold; follows the selected file."""

    changed = pyqtSignal()
    """There is another trial, or another problem."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.opened: Opened | None = None
        self.data = Data()
        self.trial: Trial | None = None
        self.look: Look | None = None
        self.problem = ""
        self.busy = self.ended = False
        self._what = ""
        session.job_changed.connect(self.follow)
        session.current_changed.connect(self.follow)
        self.follow()

    def end(self) -> None:
        """Follow the file no more; what is tried still comes to nothing."""
        self.ended = True

    def follow(self) -> None:
        """Take the settings of the selected file, unless they are known."""
        if self.ended:
            return
        opened = self._session.current
        if opened is None:
            self.opened = self.trial = self.look = None
            self.changed.emit()
            return
        if opened is not self.opened or opened.job.data != self.data:
            if opened is not self.opened:
                self.trial = self.look = None
            self.opened, self.data, self._what = opened, opened.job.data, ""
            self._advance()

    def try_out(self, **changes: object) -> None:
        """See what other settings would make, without making them part of the job."""
        try:
            self.data = Data.read({**dict(self.data), **changes})
        except InputError as error:
            self._tell(str(error))
            return
        self._advance()

    def drop(self) -> None:
        """Go back from what is tried to what the job says."""
        if self.opened is not None and self.data != self.opened.job.data:
            self.data, self._what = self.opened.job.data, ""
            self._advance()

    def set(self, what: str, **changes: object) -> None:
        """Try other settings and, where they hold, make them part of the job, to be undone under the name `what`."""
        self._what = what
        self.try_out(**changes)

    def set_centre(self, what: str, place: tuple[float, float]) -> None:
        """Say where the beam is, by a place (y, x) of the whole frame after the flip, to a tenth of a pixel."""
        if self.trial is not None and self.look is not None:
            y, x = self.trial.whole.file_point(place, self.look.measured.shape)
            self.set(what, centre=(round(y, 1), round(x, 1)))

    def add_shape(self, what: str, *shapes: object) -> None:
        """Paint shapes onto the mask."""
        self.set(what, mask_shapes=(*self.data.mask_shapes, *shapes))

    def exclude(self, numbers: Sequence[int]) -> None:
        """Leave out these frames and no others."""
        self.set("frames left out", exclude=tuple(sorted({int(n) for n in numbers})))

    def _advance(self) -> None:
        """Try the settings in a thread; while one trial is made, only the last wish is kept."""
        if self.busy or self.ended or self.opened is None:
            return
        self.busy = True
        data = self.data
        self._session.tasks.run(partial(_tried, self.look, data), partial(self._take, data), partial(self._fail, data))

    def _take(self, data: Data, found: tuple[Look, Trial | None, str]) -> None:
        self.look, trial, problem = found
        if trial is not None and data.path == self.data.path:
            self.trial = trial
        self._go_on(data, problem)

    def _fail(self, data: Data, sentence: str, details: str) -> None:
        self._go_on(data, sentence)

    def _go_on(self, data: Data, problem: str) -> None:
        """Try what was wished for meanwhile, or make what was tried part of the job."""
        self.busy = False
        if self.ended:
            return
        if data != self.data:
            self.changed.emit()
            self._advance()
            return
        what, self._what = self._what, ""
        self._tell(problem)
        if what and not problem and self.opened is not None:
            job = self.opened.job.model_copy(update={"data": data})
            self._session.edit(job, of=self.opened, what=what)

    def _tell(self, problem: str) -> None:
        self.problem = problem
        self.changed.emit()
