"""Which frame of which scan an array is, where a protocol only counts arrays and does not say when a scan begins."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ptychogui.live.ntndarray import Array, Table
from ptychogui.live.packed import Misread
from ptychogui.live.series import Image, Message, Placed, Start, Stop
from ptychogui.live.told import added, positions_unit, whole
from ptychogui.types import Mask

_UNCOUNTED = 2**16
"""A first count above this is that of a counter which is not reset between scans, where no number of frames is told."""
_HELD = 4096
"""So many tables of positions may wait for the scan they belong to."""


@dataclass
class _Scan:
    """What is known of the scan that is running."""

    series: int
    first: int
    """The count of its frame 0."""
    expected: int | None
    tag: int | None
    """The number that the detector gives it."""
    highest: int = -1
    latest_s: float = -np.inf
    seen: set[int] = field(default_factory=set)
    over: bool = False

    def goes_on(self, array: Array) -> bool:
        """Whether an array is of this scan too.

        Counts that fall back are those of a new scan, but not where the array is older: it came late, or again.
        """
        if self.tag is not None and array.scan is not None:
            return self.tag == array.scan
        if self.expected is not None and array.unique_id - self.first >= self.expected:
            return False
        if array.unique_id >= self.highest:
            return True
        return array.time_s is not None and array.time_s <= self.latest_s

    def count(self, array: Array) -> None:
        """Note that it has come."""
        self.highest = max(self.highest, array.unique_id)
        self.latest_s = max(self.latest_s, array.time_s or -np.inf)
        self.seen.add(array.unique_id)


class Counted:
    """Arrays and tables of one channel each become the messages of one scan after the other.

    A scan begins where the detector's attribute `scan` changes, where its count falls back though time goes on, and
    where all frames that the attribute `frames` told are counted. `first` is the count of a scan's first frame; where
    the counter goes on from scan to scan, it is that of the first frame that comes.
    """

    def __init__(self, first: int, y: str, x: str) -> None:
        self._first, self._y, self._x = first, y, x
        self._scan: _Scan | None = None
        self._attached = False
        self._held: Array | None = None
        """What the channel held when we came, which may be the last frame of a scan that is long over."""
        self._series = 0
        self._table: Table | None = None
        self._since: deque[Placed] = deque(maxlen=_HELD)
        """Positions that came after the last frame, and so may be meant for the next scan."""

    @property
    def running(self) -> bool:
        """Whether frames of a scan are still to come, as far as one knows."""
        return self._scan is not None and not self._scan.over

    def take(self, array: Array | None) -> Iterator[Message | Misread | Placed]:
        """The messages that follow from an update of the channel with frames."""
        if not self._attached:
            self._attached, self._held = True, array
            return
        held, self._held = self._held, None
        if array is None:
            return
        if held is not None and self._begun(held).goes_on(array) and not self._known(held):
            yield from self._counted(held)
        yield from self._counted(array)

    def detached(self) -> Iterator[Message | Misread]:
        """The channel is gone: what comes first when it is back may be old."""
        self._attached, self._held = False, None
        yield from self.quiet()

    def quiet(self) -> Iterator[Message | Misread]:
        """Nothing has come for a while: a scan whose last frame has come is over, though others are missing."""
        scan = self._scan
        if scan is not None and not scan.over and scan.expected == scan.highest - scan.first + 1:
            yield from self._over(scan)

    def place(self, table: Table) -> Iterator[Placed]:
        """The positions of a table, scan by scan; of one that only adds rows to the table before, these rows."""
        new = np.arange(len(table.positions_m)) >= (0 if self._table is None else table.further(self._table))
        self._table = table
        if table.scan is None:
            placed = self._placed(table, new, None)
            self._since.append(placed)
            yield placed
            return
        for tag in np.unique(table.scan[new & np.isfinite(table.scan)]):
            yield self._placed(table, new & (table.scan == tag), int(tag))

    def _placed(self, table: Table, rows: Mask, tag: int | None) -> Placed:
        positions_m = table.positions_m[rows]
        if table.unique_id is not None:
            first = self._first if self._scan is None else self._scan.first
            counts = np.nan_to_num(table.unique_id[rows], nan=-1.0)
            return Placed(positions_m, counts.astype(np.intp) - first, series=tag)
        if table.time_s is not None:
            return Placed(positions_m, time_s=table.time_s[rows], series=tag)
        return Placed(positions_m, np.flatnonzero(rows), series=tag)

    def _known(self, array: Array) -> bool:
        scan = self._scan
        return scan is not None and scan.goes_on(array) and array.unique_id in scan.seen

    def _begun(self, array: Array) -> _Scan:
        """The scan that begins with an array."""
        expected = whole(array.attributes.get("frames")) or None
        inside = 0 <= array.unique_id - self._first < (expected or _UNCOUNTED)
        first = self._first if inside else array.unique_id
        series = self._series if array.scan is None else array.scan
        scan = _Scan(series, first, expected, array.scan)
        scan.count(array)
        return scan

    def _counted(self, array: Array) -> Iterator[Message | Misread | Placed]:
        scan = self._scan
        if scan is None or not scan.goes_on(array):
            self._series += 1
            scan = self._scan = self._begun(array)
            said = array.attributes
            unit = positions_unit(said)
            yield Start(scan.series, frames=scan.expected, found=added(said), positions_unit=unit)
            yield from self._since
        self._since.clear()
        scan.count(array)
        position = array.attributes.get(self._y), array.attributes.get(self._x)
        y, x = (float(one) if isinstance(one, int | float) else np.nan for one in position)
        number = array.unique_id - scan.first
        yield Image(scan.series, number, array.packed, (y, x) if np.isfinite(y + x) else None, array.time_s)
        if len(scan.seen) == scan.expected and not scan.over:
            yield from self._over(scan)

    def _over(self, scan: _Scan) -> Iterator[Message | Misread]:
        scan.over = True
        lost = (scan.expected or 0) - len(scan.seen)
        if lost:
            yield Misread(f"{lost} of the {scan.expected} frames of the scan did not come.")
        yield Stop(scan.series)
