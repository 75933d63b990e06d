"""A dataset file as a source: a rehearsal without a detector."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from ptychogui import io
from ptychogui.io.data import Data
from ptychogui.live.events import Begin, Block, End, Event
from ptychogui.live.replayed import Replayed
from ptychogui.live.source import Source
from ptychogui.params import ESSENTIAL, FILE, Count, InputError, NonNegative


class Replay(Source):
    """The frames of a file, as if they were just being measured."""

    schemes: ClassVar[tuple[str, ...]] = ("replay",)
    example: ClassVar[str] = "replay:scan.cxi"

    kind: Literal["replay"] = "replay"
    path: Annotated[str, FILE, ESSENTIAL] = ""
    """The scan: any file that can be opened."""
    rate: Annotated[NonNegative, ESSENTIAL] = 50.0
    """Frames a second; 0 is as fast as they can be read."""
    times: Count = 1
    """How often the scan is made, one after the other."""

    @classmethod
    def of(cls, scheme: str, rest: str) -> Self:
        """A path."""
        return cls(path=rest)

    @property
    def address(self) -> str:
        """The scheme and the path."""
        return f"replay:{self.path}"

    async def events(self) -> AsyncIterator[Event]:
        """The scan, so many times."""
        if not self.path:
            raise InputError("No file to replay is given: name one, as replay:scan.cxi.")
        dataset = await asyncio.to_thread(io.read, Data(path=self.path))
        scan = Replayed(dataset, self.rate)
        for _ in range(self.times):
            yield Begin(
                shape=scan.shape,
                dtype=scan.dtype,
                frames=len(scan),
                name=Path(self.path).name,
                found=scan.found(),
                positions_unit=scan.positions_unit,
                mask=dataset.mask,
                probe=dataset.probe,
            )
            async for numbers, frames in scan.blocks():
                yield Block(numbers, frames, scan.positions_m[numbers])
            yield End()

    async def send(self, scan: Replayed) -> None:
        """Not possible: a file is only read."""
        raise InputError("A replay is a source only: replay the file to swmr:, folder:, zmq+…: or pva:.")
