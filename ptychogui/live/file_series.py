"""One scan in a folder: the files that make it, and the positions beside them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ptychogui.io import sidecar
from ptychogui.io.raw import Listing, pair
from ptychogui.io.scan import METRES
from ptychogui.live.events import Begin, Block, Event, Numbers, Odd, Places
from ptychogui.live.frame_files import Content, FrameFile, read
from ptychogui.live.growing_table import GrowingTable, Lines, table_beside
from ptychogui.params import InputError

_AT_ONCE = 32
"""So many files are read at one look."""
_PATIENCE_S = 5.0
"""A file that cannot be read for so long, and does not change, is damaged; until then it may be half written."""
_OPTICS = (
    *("energy_eV", "wavelength_m", "kV", "distance_m", "focus_to_sample_m", "convergence_rad", "defocus_m"),
    *("field", "zero_frequency"),
)
_PIXELS = ("detector_pixel_m", "pixel_m")
State = tuple[int, int, int]


@dataclass(frozen=True)
class Planned:
    """What the user says of all scans in a folder: positions of all frames, y first, and how frames are numbered."""

    listing: Listing | None
    numbered: bool
    first: int | None


class FileSeries:
    """The files of one scan: those that `wait` to be read, and the states of those that were."""

    def __init__(self, files: Iterable[FrameFile], planned: Planned, before: FileSeries | None = None) -> None:
        self.wait = {file.path: file for file in files}
        self.read: dict[Path, State] = {}
        self.is_over = False
        """Whether a file is the first one of the next scan, under the same name."""
        self.received = 0
        self._planned = planned
        self._begin: Begin | None = None
        self._table: GrowingTable | None = None
        self._bad = 0
        self._early: Lines | None = None
        self._failing: dict[Path, tuple[float, State]] = {}
        self._first: tuple[Path, bytes] | None = None
        self._prefix, self._base = "", 0
        self._stale = None if before is None or before._table is None else (before._table.path, before._table.state())
        """The table of the scan before as it was then: it may be written anew for this one, or serve both."""
        self._per_file = 1

    def more(self) -> list[Event]:
        """Frames of files that can be read by now, and positions."""
        events: list[Event] = []
        order = sorted(self.wait.values(), key=lambda file: (file.path in self._failing, file.number or 0, file.path))
        for file in order[:_AT_ONCE]:
            state = file.state()
            if state is None:
                del self.wait[file.path]
                continue
            try:
                content = read(file.path)
            except Exception as error:  # noqa: BLE001 - half written or garbage: a decoder may raise anything
                events += self._failed(file, state, error)
                continue
            self.is_over = (
                self._first is not None and _key(file, content) != self._first and file.path == self._first[0]
            )
            if self.is_over:
                return events
            del self.wait[file.path]
            self._failing.pop(file.path, None)
            self.read[file.path] = state
            events += self._told(file, content)
        return events + self.places()

    def places(self, *, at_the_end: bool = False) -> list[Event]:
        """Positions that the table beside the frames has got."""
        begin = self._begin
        if begin is None or self._planned.listing is not None:
            return []
        lines = self._lines(at_the_end)
        events: list[Event] = []
        if lines is not None and self._table is not None:
            places, unit = lines.positions, self._table.unit
            if unit in METRES:
                places = places * (METRES[unit] / METRES.get(begin.positions_unit or "m", METRES[unit]))
            numbers = lines.numbers - self._base if lines.numbered else lines.numbers
            events.append(Places(places, numbers=numbers))
        if self._table is not None and self._table.bad > self._bad:
            bad, self._bad = self._table.bad - self._bad, self._table.bad
            events.append(Odd(f"{bad} lines of {self._table.path.name} are no rows of numbers and are left out."))
        return events

    @property
    def begun(self) -> bool:
        """Whether one of its files was read."""
        return self._begin is not None

    @property
    def is_complete(self) -> bool:
        """Whether as many frames came as were planned."""
        return self._begin is not None and self._begin.frames is not None and self.received >= self._begin.frames

    def _lines(self, at_the_end: bool) -> Lines | None:
        if self._early is not None:
            lines, self._early = self._early, None
            return lines
        try:
            if self._table is None and self._first is not None:
                found = table_beside(self._first[0].parent, self._prefix)
                self._table = GrowingTable(found) if found is not None else None
            if self._table is None or (self._is_stale(self._table) and not at_the_end):
                return None
            return self._table.more(at_the_end=at_the_end)
        except (OSError, InputError):  # it is being replaced, or is not what it seemed; the next look tells
            return None

    def _is_stale(self, table: GrowingTable) -> bool:
        return self._stale is not None and self._stale == (table.path, table.state())

    def _told(self, file: FrameFile, content: Content) -> list[Event]:
        begun = [] if self._begin is not None else [self._begun(file, content)]
        begin, count = self._begin, len(content.frames)
        assert begin is not None
        odd: list[Event] = []
        if content.begin.shape != begin.shape:
            shapes = " and not ".join(" × ".join(map(str, shape)) for shape in (content.begin.shape, begin.shape))
            odd.append(Odd(f"{file.path.name} holds frames of {shapes} pixels."))
        numbers = self._numbers(file, count)
        self.received += count
        if numbers[0] < 0:
            return [*begun, Odd(f"{file.path.name} is numbered below the first file, {self._base}: give first.", count)]
        return [*begun, *odd, Block(numbers, content.frames, content.positions)]

    def _begun(self, file: FrameFile, content: Content) -> Begin:
        """How the scan begins, by its first file and by what is beside it."""
        self._prefix = file.series[1]
        self._first, self._per_file = _key(file, content), len(content.frames)
        self._early = self._lines(at_the_end=False)
        numbers = [one.number for one in (file, *self.wait.values()) if one.number is not None]
        numbers += self._early.numbers.tolist() if self._early is not None and self._early.numbered else []
        if self._planned.numbered:
            self._base = min(numbers, default=0) if self._planned.first is None else self._planned.first
        listing, unit = self._planned.listing, content.begin.positions_unit
        if listing is not None:
            unit = listing.unit
        elif self._table is not None:
            unit = self._table.unit
        self._begin = replace(
            content.begin,
            frames=None if listing is None else len(listing.values),
            name=f"{file.path.parent.name}/{self._prefix}",
            found=dict(content.begin.found) | _said(file.path.parent),
            positions_m=None if listing is None else listing.values,
            positions_unit=unit,
        )
        return self._begin

    def _numbers(self, file: FrameFile, count: int) -> Numbers:
        if file.number is None or not self._planned.numbered:
            return np.arange(self.received, self.received + count)
        return (file.number - self._base) * self._per_file + np.arange(count)

    def _failed(self, file: FrameFile, state: State, error: Exception) -> list[Event]:
        now = time.monotonic()
        since, before = self._failing.get(file.path, (now, state))
        self._failing[file.path] = (since if before == state else now), state
        if before != state or now - since < _PATIENCE_S:
            return []
        del self.wait[file.path], self._failing[file.path]
        self.read[file.path] = state
        reason = str(error).rstrip(".") or type(error).__name__
        return [Odd(f"{file.path.name} cannot be read and is left out: {reason}.", self._per_file)]


def _key(file: FrameFile, content: Content) -> tuple[Path, bytes]:
    """A file and its first frame: the same file with another frame is the first one of another scan."""
    return file.path, content.frames[:1].tobytes()


def _said(folder: Path) -> dict[str, object]:
    """What a person has said of the optics, in the TOML beside the folder."""
    try:
        values = sidecar.set_values(sidecar.read_sidecar(folder))
    except InputError:
        return {}
    optics = {name: value for name, value in values.items() if name in _OPTICS}
    return optics | {name: pair(values[name]) for name in _PIXELS if name in values}
