"""EPICS PVAccess: frames of areaDetector, and positions from a second channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import parse_qsl, urlencode

from pydantic import Field

from ptychogui.live.counted import Counted
from ptychogui.live.events import Event, Note, Odd
from ptychogui.live.ntndarray import array_of, table_of
from ptychogui.live.packed import Misread
from ptychogui.live.pva_channels import Channels, Update, library, told_where
from ptychogui.live.pva_server import serve
from ptychogui.live.replayed import Replayed
from ptychogui.live.series import Message, Placed, Series
from ptychogui.live.source import Source
from ptychogui.params import ESSENTIAL, Index, InputError


class Pva(Source):
    """Frames by EPICS PVAccess, as areaDetector's PVA plugin posts them (NTNDArray).

    Among a frame's attributes may be its position, `frames` (how many the scan has), `scan` (its number),
    `positions_unit`, and values by their names here, in SI (`energy_eV`, `distance_m`, `detector_pixel_m` …).
    """

    schemes: ClassVar[tuple[str, ...]] = ("pva",)
    example: ClassVar[str] = "pva:13SIM1:Pva1:Image"

    kind: Literal["pva"] = "pva"
    name: Annotated[str, ESSENTIAL] = ""
    """Channel of the frames, such as 13SIM1:Pva1:Image."""
    positions: Annotated[str, ESSENTIAL] = ""
    """Channel of the positions: an NTTable with a row for each frame, told by a column uniqueId or time (else from the
    first frame on) and, where scans follow each other, scan; or an NTNDArray (n, 2). Empty: they come with the
    frames."""
    y: str = "y"
    """Attribute of a frame, or column of the table, with the position in y."""
    x: str = "x"
    """Attribute of a frame, or column of the table, with the position in x."""
    first: Index = 1
    """uniqueId of a scan's first frame. Wrong: frames and positions from a second channel do not fit together. Where
    the detector's counter is not reset before a scan, the first frame that comes is its first one."""
    hosts: str = ""
    """Where the channels are looked for: addresses, or auto for the networks of this computer. Empty: where
    EPICS_PVA_ADDR_LIST says, and without it on this computer only."""
    queue: Annotated[Index, Field(ge=500)] = 1000
    """So many frames may wait at the detector's server. Too few: frames are lost when the network stumbles."""

    @classmethod
    def of(cls, scheme: str, rest: str) -> Self:
        """The name of a channel, and parameters behind a question mark: `?positions=NAME&hosts=ADDRESS`."""
        name, _, query = rest.partition("?")
        if not name or any(one.isspace() for one in name):
            raise InputError(f"'{scheme}:{rest}' names no channel: give one such as {cls.example}.")
        return cls.read(dict(parse_qsl(query)) | {"name": name})

    @property
    def address(self) -> str:
        """The address with all parameters that are not the usual ones."""
        usual = Pva()
        names = ("positions", "y", "x", "first", "hosts", "queue")
        changed = {name: getattr(self, name) for name in names if getattr(self, name) != getattr(usual, name)}
        return f"pva:{self.name}" + (f"?{urlencode(changed, safe=':/ ')}" if changed else "")

    async def events(self) -> AsyncIterator[Event]:
        """Scans, one after the other."""
        names = self._names()
        library()
        counted, series = Counted(self.first, self.y, self.x), Series()
        with Channels(names, self.hosts, self.queue) as channels:
            yield Note(f"Waiting for channel {' and '.join(names)} {told_where(self.hosts)}.")
            async with aclosing(channels.updates()) as arrivals:  # type: ignore[type-var]
                async for updates in arrivals:
                    for event in self._events(counted, series, updates):
                        yield event

    async def send(self, scan: Replayed) -> None:
        """Serve both channels; begins when each has a client."""
        self._names()
        library()
        await serve(scan, self.name, self.positions, self.first)

    def _names(self) -> list[str]:
        if not self.name or self.name == self.positions:
            raise InputError(f"Name the channel of the frames, as {self.example}, and another one for positions.")
        return [self.name, *([self.positions] if self.positions else [])]

    def _events(self, counted: Counted, series: Series, updates: list[Update]) -> Iterator[Event]:
        wrong: Counter[str] = Counter()
        batch: list[Message | Misread] = []
        for message in self._messages(counted, updates, wrong):
            if isinstance(message, Placed):
                yield from series.take(batch)
                batch.clear()
                yield from series.place(message)
            elif isinstance(message, Note):
                yield message
            else:
                batch.append(message)
        yield from series.take(batch)
        for sentence, frames in wrong.items():
            yield Odd(sentence, frames)

    def _messages(
        self, counted: Counted, updates: list[Update], wrong: Counter[str]
    ) -> Iterator[Message | Misread | Placed | Note]:
        """What updates say; `wrong` counts the frames that are lost with each sentence."""
        if not updates:
            yield from counted.quiet()
        for one in updates:
            try:
                if one.value is None:
                    yield from self._gone(counted, one)
                elif one.channel == self.name:
                    yield from counted.take(array_of(one.value, one.channel))
                elif (table := table_of(one.value, one.channel, self.y, self.x)) is not None:
                    yield from counted.place(table)
            except Misread as error:
                wrong[str(error)] += one.channel == self.name

    def _gone(self, counted: Counted, update: Update) -> Iterable[Message | Misread | Placed | Note]:
        said = f" ({update.said})" if update.said else ""
        sentence = f"Channel {update.channel} is gone{said}; waiting for it to come back."
        yield Misread(sentence) if counted.running else Note(sentence)
        if update.channel == self.name:
            yield from counted.detached()
