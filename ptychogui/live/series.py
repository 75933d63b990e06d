"""What the messages of a detector's stream say, whatever their format, and the events that follow from them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.io.raw import PositionUnit
from ptychogui.live.events import Begin, Block, End, Event, Note, Numbers, Odd, Places
from ptychogui.live.packed import Misread, Packed
from ptychogui.types import Mask, Positions

_BLOCK_BYTES = 2**26
"""A block of frames is not much larger."""
_HELD = 4096
"""So many lists of positions may wait for the scan they belong to."""


@dataclass(frozen=True)
class Start:
    """A series begins; what its message does not say is None or empty. The rest is as in `Begin`."""

    series: int
    shape: tuple[int, int] | None = None
    frames: int | None = None
    name: str = ""
    found: Mapping[str, Any] = field(default_factory=dict)
    mask: Mask | None = None
    positions_m: Positions | None = None
    positions_unit: PositionUnit = "m"


@dataclass(frozen=True, slots=True)
class Image:
    """A frame of a series, with its position (y, x) and its time where they come along."""

    series: int
    number: int
    packed: Packed
    position_m: tuple[float, float] | None = None
    time_s: float | None = None


@dataclass(frozen=True)
class Stop:
    """A series is over."""

    series: int


@dataclass(frozen=True)
class Placed:
    """Positions (b, 2) by number or by time, of a series or of the one that is running."""

    positions_m: Positions
    numbers: Numbers | None = None
    time_s: Positions | None = None
    series: int | None = None


Message = Start | Image | Stop


class Series:
    """One scan after the other, from messages in the order in which they came."""

    def __init__(self) -> None:
        self._start: Start | None = None
        self._shape: tuple[int, int] | None = None
        """Of the frames of this scan; None until the first one."""
        self._over = False
        self._former: int | None = None
        """The series before this one."""
        self._block: list[tuple[Image, NDArray[Any]]] = []
        self._wrong: Counter[str] = Counter()
        self._early = 0
        """Frames of this scan that could not be read before its first one."""
        self._held: deque[Placed] = deque(maxlen=_HELD)
        self._placed: set[int] = set()

    def take(self, messages: Iterable[Message | Misread]) -> Iterator[Event]:
        """The events that follow from messages, of which some may not have been understood."""
        size = 0
        for message in messages:
            if isinstance(message, Misread):
                yield Odd(str(message))
            elif isinstance(message, Image):
                if not self._is_known(message):
                    yield from self._told()
                    yield from self._in_the_middle(message)
                frame = self._frame(message)
                if frame is None:
                    continue
                if self._shape is None:
                    yield from self._begin(frame)
                self._block.append((message, frame))
                size += frame.nbytes
                if size > _BLOCK_BYTES:
                    yield from self._told()
                    size = 0
            else:
                yield from self._told()
                yield from self._turn(message)
        yield from self._told()

    def place(self, placed: Placed) -> Iterator[Event]:
        """The events that follow from positions, which may come before the scan they belong to."""
        known = self._start is not None and self._shape is not None
        if known and placed.series is not None and placed.series == self._former:
            return
        if not known or not self._is_of_this(placed):
            self._held.append(placed)
            return
        if self._over and placed.series is None and placed.time_s is not None:
            self._held.append(placed)  # times are matched again, so they may serve this scan and the next
        yield self._places(placed)

    def _is_of_this(self, placed: Placed) -> bool:
        assert self._start is not None
        if placed.series is not None:
            return placed.series == self._start.series
        # without a series, a number that has had its position is one of the next scan
        again = placed.numbers is not None and not self._placed.isdisjoint(placed.numbers.tolist())
        return not (self._over and again)

    def _places(self, placed: Placed) -> Places:
        if placed.numbers is not None:
            self._placed.update(placed.numbers.tolist())
        return Places(placed.positions_m, placed.numbers, placed.time_s)

    def _turn(self, message: Start | Stop) -> Iterator[Event]:
        if isinstance(message, Start):
            self._next(message)
            yield Note("A scan has begun; waiting for its first frame.")
        elif self._start is None or message.series != self._start.series:
            yield Odd("A scan has ended of which no start was seen.")
        elif self._shape is None:
            yield Note("A scan has ended without a frame.")
        else:
            self._over = True
            yield End()

    def _is_known(self, image: Image) -> bool:
        return self._start is not None and image.series in (self._start.series, self._former)

    def _in_the_middle(self, image: Image) -> Iterator[Event]:
        """A scan of which the start was missed."""
        self._next(Start(image.series))
        yield Odd(
            "The scan had begun before its start was seen: energy, distance and mask are not known, and earlier frames "
            "are missing."
        )

    def _next(self, start: Start) -> None:
        self._former = None if self._start is None or self._start.series == start.series else self._start.series
        self._start, self._shape, self._over, self._early = start, None, False, 0
        self._placed = set()

    def _frame(self, image: Image) -> NDArray[Any] | None:
        """The pixels; None where the frame is none of this scan, or cannot be read."""
        assert self._start is not None
        if image.series != self._start.series:
            self._wrong["Frames of the scan before came late; they are left out."] += 0
            return None
        shape = self._shape or self._start.shape
        if len(image.packed.shape) != 2 or (shape is not None and image.packed.shape != shape):
            given, wanted = _times(image.packed.shape), _times(shape or ("ny", "nx"))
            self._wrong[f"A frame has {given} pixels instead of {wanted}; it is left out."] += 1
            return None
        try:
            return image.packed.unpacked()
        except Misread as error:
            self._wrong[str(error)] += 1
            return None

    def _begin(self, frame: NDArray[Any]) -> Iterator[Event]:
        start = self._start
        assert start is not None
        self._shape = frame.shape[0], frame.shape[1]
        mask = start.mask if start.mask is not None and start.mask.shape == self._shape else None
        yield Begin(
            shape=self._shape,
            dtype=frame.dtype,
            frames=start.frames,
            name=start.name,
            found=start.found,
            positions_m=start.positions_m,
            positions_unit=start.positions_unit,
            mask=_measuring(frame, mask),
        )
        if self._early:
            yield Odd("The first frames of the scan could not be read.", self._early)
        held, self._held = self._held, deque(maxlen=_HELD)
        for placed in held:
            if placed.series in (None, start.series):
                yield self._places(placed)
            elif placed.series != self._former:
                self._held.append(placed)

    def _told(self) -> Iterator[Event]:
        """What has been gathered."""
        if self._block:
            images, frames = [image for image, _ in self._block], [frame for _, frame in self._block]
            self._block = []
            yield from _blocks(images, frames)
        for sentence, count in self._wrong.items():
            if self._shape is None:
                self._early += count
                count = 0
            yield Odd(sentence, count)
        self._wrong.clear()


def _blocks(images: list[Image], frames: list[NDArray[Any]]) -> Iterator[Block]:
    """Blocks of one type each: a detector may change it."""
    for dtype in dict.fromkeys(frame.dtype for frame in frames):
        chosen = [number for number, frame in enumerate(frames) if frame.dtype == dtype]
        some = [images[number] for number in chosen]
        nowhere = (np.nan, np.nan)
        placed = any(image.position_m is not None for image in some)
        timed = any(image.time_s is not None for image in some)
        yield Block(
            numbers=np.array([image.number for image in some], np.intp),
            frames=np.stack([frames[number] for number in chosen]),
            positions_m=np.array([image.position_m or nowhere for image in some], np.float64) if placed else None,
            time_s=np.array([np.nan if i.time_s is None else i.time_s for i in some]) if timed else None,
        )


def _measuring(frame: NDArray[Any], mask: Mask | None) -> Mask | None:
    """The mask without the pixels that say that they measure nothing, by the highest value of their type."""
    if frame.dtype.kind != "u":
        return mask
    silent = frame == np.iinfo(frame.dtype).max
    if not silent.any() or silent.all():
        return mask
    measuring: Mask = ~silent if mask is None else mask & ~silent
    return measuring


def _times(shape: Iterable[object]) -> str:
    return " × ".join(map(str, shape))
