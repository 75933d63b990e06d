"""What the sources that listen to ZeroMQ share; their formats are in files of their own."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing
from importlib.util import find_spec
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import parse_qsl, urlencode

from ptychogui.live.events import Event, Odd
from ptychogui.live.packed import Misread, Packing, packed
from ptychogui.live.placed import placed, text, together
from ptychogui.live.replayed import Replayed
from ptychogui.live.series import Message, Placed, Series
from ptychogui.live.source import Source
from ptychogui.live.zmq_socket import Arrived, Inlet, Parts, Pattern, arriving, outlets, tcp
from ptychogui.params import ESSENTIAL, Count, InputError


class ZmqSource(Source):
    """Frames by ZeroMQ, and positions with them, from the plan, or from a second stream."""

    libraries: ClassVar[dict[str, str]]
    """Packages by the names of the modules that they bring."""

    endpoint: Annotated[str, ESSENTIAL] = "127.0.0.1:31001"
    """Host and port where the frames come from, such as 127.0.0.1:31001."""
    pattern: Annotated[Pattern, ESSENTIAL] = "sub"
    """How to listen: sub to a proxy or publisher, which takes nothing from anybody; pull from the detector itself, of
    which every frame goes to one listener only: another one, such as the file writer, loses what comes here."""
    positions: Annotated[str, ESSENTIAL] = ""
    """Host and port of a second stream with the positions (JSON: numbers or time_s, y_m, x_m); empty: they come with
    the frames, or are planned."""
    queue: Count = 20_000
    """So many frames may wait in memory until they are taken. Too few: frames are lost when many come at once."""
    packing: Packing = "bslz4"
    """How frames are packed when a scan is sent by this source, as a rehearsal."""

    @classmethod
    def of(cls, scheme: str, rest: str) -> Self:
        """`//HOST:PORT`, and parameters behind a question mark: `?positions=HOST:PORT&pattern=pull`."""
        place, _, query = rest.partition("?")
        tcp(place)
        return cls.read(dict(parse_qsl(query)) | {"endpoint": place.removeprefix("//")})

    @property
    def address(self) -> str:
        """The address with all parameters that are not the usual ones."""
        usual = type(self)()
        names = ("pattern", "positions", "queue", "packing")
        changed = {name: getattr(self, name) for name in names if getattr(self, name) != getattr(usual, name)}
        query = f"?{urlencode(changed, safe=':/')}" if changed else ""
        return f"{self.schemes[0]}://{self.endpoint}{query}"

    # what a format is

    @abstractmethod
    def understood(self, parts: Parts) -> Message:
        """What a message says. Raises `Misread` where that is not understood."""

    @abstractmethod
    def start(self, scan: Replayed, series: int) -> Parts:
        """The message that begins a series."""

    @abstractmethod
    def image(self, series: int, number: int, data: bytes, scan: Replayed) -> Parts:
        """The message of one frame, whose pixels are packed."""

    @abstractmethod
    def end(self, series: int) -> Parts:
        """The message that ends a series."""

    # listening

    async def events(self) -> AsyncIterator[Event]:
        """Scans, one after the other."""
        self._need(self.libraries)
        series = Series()
        async with aclosing(arriving(self._inlets(), self.queue)) as arrivals:  # type: ignore[type-var]
            async for one in arrivals:
                if not isinstance(one, Arrived):
                    yield one
                    continue
                for event in self._events(series, one):
                    yield event

    def _events(self, series: Series, arrived: Arrived) -> Iterator[Event]:
        if arrived.inlet == 0:
            yield from series.take(map(self._message, arrived.messages))
            return
        lists, wrong = _placed(arrived.messages)
        for one in together(lists):
            yield from series.place(one)
        if wrong:
            yield Odd(wrong)

    def _message(self, parts: Parts) -> Message | Misread:
        try:
            return self.understood(parts)
        except Misread as error:
            return error

    def _inlets(self) -> list[Inlet]:
        inlets = [Inlet(tcp(self.endpoint), self.pattern)]
        return [*inlets, Inlet(tcp(self.positions), "sub")] if self.positions else inlets

    # sending

    async def send(self, scan: Replayed) -> None:
        """The other side, on the same addresses; it begins when somebody listens."""
        self._need(self.libraries | ({} if self.packing == "none" else {"hdf5plugin": "hdf5plugin"}))
        async with outlets(self._inlets(), self.queue) as out:
            await out.subscribed()
            first = time.time_ns() // 10**6
            for series in range(first, first + scan.times):
                await out.send(0, [self.start(scan, series)])
                async for numbers, frames in scan.blocks():
                    if self.positions:
                        await out.send(1, [[text(numbers, scan.positions_m[numbers], series)]])
                    every = await asyncio.to_thread(packed, frames, self.packing)
                    pairs = zip(numbers.tolist(), every)
                    await out.send(0, [self.image(series, number, data, scan) for number, data in pairs])
                await out.send(0, [self.end(series)])

    def _place(self, scan: Replayed, number: int) -> dict[str, Any]:
        """What is added to a frame when it is sent."""
        return {} if self.positions else {"position_m": scan.positions_m[number].tolist()}

    def _need(self, libraries: dict[str, str]) -> None:
        missing = [package for module, package in libraries.items() if find_spec(module) is None]
        if missing:
            needed = _listed(list(libraries.values()))
            line = "pip install 'ptychogui[live,packed]'"
            raise InputError(f"Source zmq needs {needed}, which are not installed: {line}.")


def additions(scan: Replayed) -> dict[str, Any]:
    """What is added to the start of a series when it is sent, by the names of the fields of `Data`."""
    return dict(scan.found()) | {"positions_unit": scan.positions_unit}


def _placed(messages: Sequence[Parts]) -> tuple[list[Placed], str]:
    """What the messages of a stream of positions say, and what is wrong with some of them."""
    found, wrong = [], ""
    for parts in messages:
        try:
            found.append(placed(parts[-1]))
        except Misread as error:
            wrong = str(error)
    return found, wrong


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
