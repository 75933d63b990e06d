"""The frames of a scan that is running, in memory, with what has come, what is missing and what was in vain."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from ptychogui.io.raw import Listing, PositionUnit, Raw
from ptychogui.live.events import Begin, Block, Numbers, Places
from ptychogui.live.stack import Stack
from ptychogui.live.track import Track
from ptychogui.types import Positions

_FIRST = 256
"""Frames for which there is room at first, where the source does not say how many will come."""
_SHARE = 0.5
"""The most of the free memory that a scan may take."""
_RATE_S = 2.0
"""The rate is that of so many seconds."""
_FURTHEST = 2**16
"""So many numbers behind the highest that was expected or has come, there is no frame: such a number is garbage."""


@dataclass(frozen=True)
class Counters:
    """What became of the frames of a scan: `received` of them are kept, `ready` of these have a position.

    `missing` are numbers below the highest that never came, and when the scan is over those that were expected behind
    it; `late` are ones that came after a higher number, `doubled` ones that came again, `refused` ones of a wrong shape
    or without room, `lost` ones that the source said it could not read. `rate` is in frames a second, over the last two
    seconds; `age_s` how long ago the last one came.
    """

    received: int = 0
    ready: int = 0
    expected: int | None = None
    missing: int = 0
    late: int = 0
    doubled: int = 0
    refused: int = 0
    lost: int = 0
    rate: float = 0.0
    age_s: float = 0.0


class Buffer:
    """All frames of one scan; blocks are put in by one thread while others read.

    Frames stand by their number in the scan. `arrived` lists them in the order in which they became complete, that is
    with a position: what was complete once stays so, and later ones are added behind.
    """

    def __init__(self, begin: Begin) -> None:
        self.begin = begin
        self.ended = False
        self._lock = threading.Lock()
        self._frames = Stack(begin.shape, begin.dtype)
        self.room = max(1, int(_SHARE * psutil.virtual_memory().available / self._frames.frame_bytes))
        """The most frames for which there is memory."""
        size = min(begin.frames or _FIRST, self.room, _FURTHEST)  # what a source expects may be garbage
        self._here = np.zeros(size, np.bool_)
        self._time_s = np.full(size, np.nan)
        self._positions = np.full((size, 2), np.nan)
        self._listed = np.zeros(size, np.bool_)
        self._arrived: list[Numbers] = []
        self._track = Track()
        """Positions by time, where they come without numbers."""
        self._listing = Listing(np.zeros((0, 2)), begin.positions_unit, "of the source")
        self._from_plan = False
        self._highest = -1
        self._count = Counters(expected=begin.frames)
        self._recent: list[tuple[float, int]] = []
        if begin.positions_m is not None:
            planned = np.asarray(begin.positions_m, np.float64)[: self.room]
            self._place(np.arange(len(planned)), planned)

    # from the source

    def put(self, block: Block) -> None:
        """Keep frames; those of a wrong shape, without room or a second time are counted and left out."""
        with self._lock:
            now, numbers = time.monotonic(), np.asarray(block.numbers, np.intp)
            good = self._possible(numbers)
            if not self._fits(block):
                good[:] = False
            self._count_up(refused=int((~good).sum()))
            kept = np.flatnonzero(good)
            _, once = np.unique(numbers[kept], return_index=True)
            self._count_up(doubled=len(kept) - len(once))
            kept = kept[np.sort(once)]
            self._grow(int(numbers[kept].max(initial=-1)) + 1)
            again = self._here[numbers[kept]]
            self._count_up(doubled=int(again.sum()))
            kept = kept[~again]
            index = numbers[kept]
            if not len(index):
                return
            before = np.maximum.accumulate(np.concatenate([[self._highest], index[:-1]]))
            self._count_up(received=len(index), late=int((index < before).sum()))
            self._highest = max(self._highest, int(index.max()))
            self._frames.put(index, block.frames if len(kept) == len(numbers) else block.frames[kept])
            self._here[index] = True
            if block.time_s is not None:
                self._time_s[index] = block.time_s[kept]
            if block.positions_m is not None:
                self._place(index, np.asarray(block.positions_m, np.float64)[kept])
            self._complete(index)
            if block.time_s is not None:
                self._place_by_time()
            self._recent = [one for one in self._recent if now - one[0] < _RATE_S] + [(now, len(index))]

    def place(self, places: Places) -> None:
        """Take positions that came without frames, by number or by time."""
        with self._lock:
            where = np.asarray(places.positions_m, np.float64)
            if places.numbers is not None:
                numbers = np.asarray(places.numbers, np.intp)
                good = self._possible(numbers)
                self._place(numbers[good], where[good])
                self._complete(numbers[good])
            elif places.time_s is not None:
                self._track.add(np.asarray(places.time_s, np.float64), where)
                self._place_by_time()

    def plan(self, listing: Listing) -> None:
        """Take the positions of all frames, by their numbers, from the user; those of the source no longer count."""
        with self._lock:
            self._listing, self._from_plan = listing, True
            self._positions[:] = np.nan
            self._listed[:] = False
            self._arrived = []
            planned = np.asarray(listing.values, np.float64)[: self.room]
            self._set(np.arange(len(planned)), planned)
            self._complete(np.flatnonzero(self._here))

    def lose(self, frames: int) -> None:
        """Count frames that the source could not read."""
        with self._lock:
            self._count_up(lost=frames)

    def end(self) -> None:
        """No more will come."""
        with self._lock:
            if not self.ended:
                self._place_by_time(to_the_end=True)
            self.ended = True

    # to those who read

    @property
    def counters(self) -> Counters:
        """What has come until now."""
        with self._lock:
            now = time.monotonic()
            recent = [(at, count) for at, count in self._recent if now - at < _RATE_S]
            last = self._recent[-1][0] if self._recent else now
            span = max(now - recent[0][0], _RATE_S / 4) if recent else 1.0
            awaited = max(self._highest + 1, (self.begin.frames or 0) if self.ended else 0)
            return replace(
                self._count,
                ready=sum(map(len, self._arrived)),
                missing=awaited - self._count.received,
                rate=sum(count for _, count in recent) / span,
                age_s=now - last,
            )

    @property
    def arrived(self) -> Numbers:
        """The numbers (n,) of all complete frames, in the order in which they became so."""
        with self._lock:
            if len(self._arrived) > 1:
                self._arrived = [np.concatenate(self._arrived)]
            return self._arrived[0] if self._arrived else np.zeros(0, np.intp)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, ny, nx), with room for numbers that have not come."""
        return len(self._here), *self.begin.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the counts."""
        return self._frames.dtype

    def __getitem__(self, index: Any, /) -> NDArray[Any]:
        """Frames by their numbers; they do not change any more once they are here."""
        numbers = np.arange(len(self._here))[index]
        if np.ndim(numbers) == 0:
            frame: NDArray[Any] = self._frames.read(np.atleast_1d(numbers))[0]
            return frame
        return self._frames.read(numbers)

    @property
    def planned(self) -> Numbers:
        """The numbers (n,) of all frames whose positions are known, of such as have not come too."""
        with self._lock:
            return np.flatnonzero(np.isfinite(self._positions).all(1))

    @property
    def waiting(self) -> Numbers:
        """The numbers (n,) of frames that have come and have no position yet."""
        with self._lock:
            return np.flatnonzero(self._here & ~self._listed)

    @property
    def positions_unit(self) -> PositionUnit | None:
        """The unit of the positions: that of the source, or of the plan, which may not say."""
        return self._listing.unit

    def positions(self, numbers: Numbers) -> Positions:
        """The positions (n, 2) of frames, as they are known now, in the unit that the source has said."""
        with self._lock:
            return self._positions[numbers].copy()

    def raw(self, numbers: Numbers) -> Raw:
        """What a reader would have found in a file of these frames, in this order."""
        from ptychogui.types import ChosenFrames

        begin = self.begin
        listing = replace(self._listing, values=self.positions(numbers))
        return Raw(
            frames=ChosenFrames(self, numbers),
            positions=listing,
            mask=begin.mask,
            probe=begin.probe,
            found=dict(begin.found),
            meta={"name": begin.name} if begin.name else {},
        )

    # within the lock

    def _count_up(self, **more: int) -> None:
        self._count = replace(self._count, **{name: getattr(self._count, name) + n for name, n in more.items()})

    def _fits(self, block: Block) -> bool:
        """Whether a block is what was begun with: as many frames as numbers, of this shape, and counts."""
        count, kinds = len(block.numbers), "uib" if self.begin.dtype.kind in "ui" else "uifb"
        return (
            block.frames.shape == (count, *self.begin.shape)
            and block.frames.dtype.kind in kinds
            and (block.positions_m is None or np.shape(block.positions_m) == (count, 2))
            and (block.time_s is None or np.shape(block.time_s) == (count,))
        )

    def _possible(self, numbers: Numbers) -> NDArray[np.bool_]:
        """Which numbers a frame may have."""
        limit = max(len(self._here), self._highest + 1) + _FURTHEST
        return (numbers >= 0) & (numbers < min(limit, self.room))

    def _grow(self, needed: int) -> None:
        size = len(self._here)
        if needed <= size:
            return
        more = min(max(2 * size, needed), self.room) - size
        self._here = np.concatenate([self._here, np.zeros(more, np.bool_)])
        self._listed = np.concatenate([self._listed, np.zeros(more, np.bool_)])
        self._time_s = np.concatenate([self._time_s, np.full(more, np.nan)])
        self._positions = np.concatenate([self._positions, np.full((more, 2), np.nan)])

    def _place(self, numbers: Numbers, positions: Positions) -> None:
        """Positions of frames as the source says them."""
        if not self._from_plan:
            self._set(numbers, positions)

    def _set(self, numbers: Numbers, positions: Positions) -> None:
        """Positions of frames, also of such as have not come; a frame that is complete keeps the one it has."""
        self._grow(int(numbers.max(initial=-1)) + 1)
        new = ~self._listed[numbers] & np.isfinite(positions).all(1)
        self._positions[numbers[new]] = positions[new]

    def _complete(self, numbers: Numbers) -> None:
        """List those of some frames that have become complete."""
        done = self._here[numbers] & ~self._listed[numbers] & np.isfinite(self._positions[numbers]).all(1)
        fresh = np.unique(numbers[done]) if done.any() else numbers[:0]
        if len(fresh):
            self._listed[fresh] = True
            self._arrived.append(fresh)

    def _place_by_time(self, *, to_the_end: bool = False) -> None:
        """Put frames with a time stamp between the positions before and behind them; at the end, beside the last."""
        waiting = np.flatnonzero(self._here & ~self._listed & np.isfinite(self._time_s))
        if len(waiting) and len(self._track):
            self._place(waiting, self._track.at(self._time_s[waiting], to_the_end=to_the_end))
            self._complete(waiting)
