"""A growing HDF5 file as a source: SWMR, or one that is written plainly and looked at again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import h5py
import numpy as np

from ptychogui.io import files
from ptychogui.io.cxi_growing import EXPECTED, GrowingCXI
from ptychogui.live.events import Event
from ptychogui.live.follow import Follower
from ptychogui.live.growing import Names
from ptychogui.live.replayed import Replayed
from ptychogui.live.source import Source
from ptychogui.params import ESSENTIAL, FILE, InputError, Seconds


class Swmr(Source):
    """An HDF5 file into which an instrument writes: CXI, NeXus, or any other layout with frames and positions."""

    schemes: ClassVar[tuple[str, ...]] = ("swmr",)
    example: ClassVar[str] = "swmr:/data/scan.h5"
    caution: ClassVar[str] = (
        "The file is read without a lock, so that no writer is kept out. Without SWMR it is opened again "
        "whenever it changes, and some kinds can only be read when they are closed."
    )

    kind: Literal["swmr"] = "swmr"
    path: Annotated[str, FILE, ESSENTIAL] = ""
    """The file, which need not be there yet. With * in its name, as scan_*.h5, the newest one that fits."""
    frames: str = ""
    """Dataset of the frames, such as /entry/data/data. Unset: found as in a file that is opened."""
    positions: str = ""
    """Dataset of the positions, or two of y and x with a comma between them. Unset: found as in a file that is
    opened."""
    keys: str = ""
    """Dataset that is written last, with a row for each frame, and 0 where it is not whole. Unset: by its name, as
    unique_id, uid or keys."""
    interval_s: Seconds = 0.02
    """Time between two looks at the file."""
    quiet_s: Seconds = 30.0
    """When nothing was written for so long, the scan counts as over, even if the file is still open."""

    @classmethod
    def of(cls, scheme: str, rest: str) -> Self:
        """A path."""
        return cls(path=rest)

    @property
    def address(self) -> str:
        """The scheme and the path."""
        return f"swmr:{self.path}"

    async def events(self) -> AsyncIterator[Event]:
        """One scan after the other, as the file grows and is replaced."""
        self._check()
        follower = Follower(self.path, Names(self.frames, self.positions, self.keys), self.quiet_s)
        try:
            while True:
                for event in await asyncio.to_thread(follower.look):
                    yield event
                if not follower.busy:
                    await asyncio.sleep(self.interval_s)
        finally:
            await asyncio.to_thread(follower.close)

    async def send(self, scan: Replayed) -> None:
        """Write CXI files that grow, one after the other at the same place; only an earlier replay is replaced."""
        self._check()
        path = Path(self.path).expanduser()
        for _ in range(scan.times):
            file = await asyncio.to_thread(_begun, path, scan)
            try:
                async for numbers, frames in scan.blocks():
                    await asyncio.to_thread(file.append, numbers, frames, scan.positions_m[numbers])
            finally:
                await asyncio.to_thread(file.close)

    def _check(self) -> None:
        if not self.path:
            raise InputError("No file is given: name one, as swmr:/data/scan.h5.")


def _begun(path: Path, scan: Replayed) -> GrowingCXI:
    """A new file at this place. Raises `InputError` where there is one that may be somebody's data."""
    files.check_writable(path)
    if path.exists() and not _is_ours(path):
        raise InputError(f"{path} is there already and is no replay: give another name, for it would be overwritten.")
    path.unlink(missing_ok=True)  # who reads the old file keeps it
    data = scan.dataset
    dtype = np.dtype(scan.dtype)
    return GrowingCXI(path, scan.shape, dtype, data.geometry, data.mask, data.probe, expected=len(scan))


def _is_ours(path: Path) -> bool:
    try:
        with h5py.File(path, "r", swmr=True, locking=False) as file:
            return EXPECTED in file
    except OSError:
        return False
