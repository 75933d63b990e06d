"""A folder that fills with TIFF or HDF5 files as a source."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import tifffile
from numpy.typing import NDArray

from ptychogui.io import files, reading, sidecar, text, tiff
from ptychogui.io.data import Data
from ptychogui.io.raw import Listing
from ptychogui.live.events import Event, Numbers
from ptychogui.live.file_series import Planned
from ptychogui.live.replayed import Replayed
from ptychogui.live.source import Source
from ptychogui.live.watch import Watch
from ptychogui.params import ESSENTIAL, FILE, FOLDER, Index, InputError, Seconds

_OURS = re.compile(r"^scan(\d+)_")


class Folder(Source):
    """A folder into which frames are written as TIFF or HDF5 files, one frame or several in each.

    Files whose names differ in their last number only are one scan; another name, or another folder in it, is the next
    one. Positions come from HDF5 files themselves, or from a text or CSV file beside the frames that grows with them.
    """

    schemes: ClassVar[tuple[str, ...]] = ("folder",)
    example: ClassVar[str] = "folder:/data/scan"
    caution: ClassVar[str] = (
        "Nothing in a folder says that a scan is over: it counts as over when no file has come for a while, or when "
        "one of another name comes."
    )

    kind: Literal["folder"] = "folder"
    path: Annotated[str, FOLDER, ESSENTIAL] = ""
    """The folder, which need not be there yet."""
    pattern: str = ""
    """Which files count, as img_*.tif, where frames of other detectors lie beside them. Unset: all TIFF and HDF5 files
    that are not called dark."""
    positions: Annotated[str, FILE] = ""
    """File with the planned positions of all frames, in any format that can be opened; the first line is that of the
    first file. Unset: what is in the folder."""
    numbers: Literal["name", "arrival"] = "name"
    """Whether a frame's number is the last one in the name of its file, or the order in which files come."""
    first: Index | None = None
    """Number of the first file of a scan. Unset: the lowest of those that come at first."""
    interval_s: Seconds = 0.1
    """Time between two looks at the folder."""
    quiet_s: Seconds = 10.0
    """When no file has come for so long, the scan counts as over; what comes later is added to it all the same."""

    @classmethod
    def of(cls, scheme: str, rest: str) -> Self:
        """A path."""
        return cls(path=rest)

    @property
    def address(self) -> str:
        """The scheme and the path."""
        return f"folder:{self.path}"

    async def events(self) -> AsyncIterator[Event]:
        """One scan after the other, as files come."""
        self._check()
        listing = await asyncio.to_thread(_planned, self.positions) if self.positions else None
        planned = Planned(listing, self.numbers == "name", self.first)
        watch = Watch(Path(self.path).expanduser(), self.pattern, planned, self.quiet_s)
        while True:
            for event in await asyncio.to_thread(watch.look):
                yield event
            if not watch.busy:
                await asyncio.sleep(self.interval_s)

    async def send(self, scan: Replayed) -> None:
        """Write 16- or 32-bit TIFF files and a table of positions that grows, each scan under a new number."""
        self._check()
        folder = Path(self.path).expanduser()
        for _ in range(scan.times):
            prefix = await asyncio.to_thread(_begun, folder, scan)
            async for numbers, frames in scan.blocks():
                await asyncio.to_thread(_write, folder, prefix, scan, numbers, frames)

    def _check(self) -> None:
        if not self.path:
            raise InputError("No folder is given: name one, as folder:/data/scan.")


def _planned(path: str) -> Listing:
    """The positions in a file, y first. Raises `InputError` where there are none."""
    source = Path(path).expanduser()
    try:
        listing: Listing | None = text.read_positions(source)
    except InputError as not_a_table:
        try:
            listing = reading.opened(Data(path=path))[2].positions
        except InputError:
            raise not_a_table from None
    if listing is None:
        raise InputError(f"{path} holds no positions; name another file.")
    return listing if listing.columns == "yx" else replace(listing, values=listing.values[:, ::-1], columns="yx")


def _begun(folder: Path, scan: Replayed) -> str:
    """A new prefix in a folder, with a table of positions that has its heading only."""
    files.check_folder(folder)
    if not sidecar.sidecar_path(folder).exists():
        said = tiff.said(scan.dataset.geometry).model_copy(update={"zero_frequency": "centre"})
        sidecar.write_sidecar(said, folder)
    taken = [int(match[1]) for path in folder.iterdir() if (match := _OURS.match(path.name))]
    prefix = f"scan{max(taken, default=0) + 1:03d}_"
    unit = scan.positions_unit
    _table(folder, prefix).write_text(f"frame,y_{unit},x_{unit}\n", encoding="utf-8")
    return prefix


def _write(folder: Path, prefix: str, scan: Replayed, numbers: Numbers, frames: NDArray[Any]) -> None:
    with _table(folder, prefix).open("a", encoding="utf-8") as table:
        for number, (y, x) in zip(numbers.tolist(), scan.positions_m[numbers].tolist()):
            table.write(f"{number},{y!r},{x!r}\n")
    for number, frame in zip(numbers.tolist(), frames):
        name = f"{prefix}{number:06d}.tif"
        temporary = folder / f".{name}.part"
        tifffile.imwrite(temporary, frame, photometric="minisblack")
        temporary.replace(folder / name)


def _table(folder: Path, prefix: str) -> Path:
    return folder / f"{prefix}positions.csv"
