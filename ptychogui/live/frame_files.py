"""Files of frames in a folder: which there are, to which scan they belong, and what one of them holds."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.io import files, hdf5, tiff
from ptychogui.live.events import Begin
from ptychogui.live.growing import LARGEST_FRAME_BYTES, Names, found_in
from ptychogui.params import InputError
from ptychogui.types import Positions

_TIFF, _HDF5 = (".tif", ".tiff"), (".h5", ".hdf5", ".nxs", ".cxi")
_NUMBERED = re.compile(r"^(.*?)(\d+)(\D*)$", re.DOTALL)


@dataclass(frozen=True)
class FrameFile:
    """A file by its path; files of one `series` are one scan, in the order of their numbers, if they have such."""

    path: Path
    series: tuple[Path, str, str]
    """The folder, and the name before and behind the number."""
    number: int | None

    def state(self) -> tuple[int, int, int] | None:
        """What changes when it is written anew: number, size and time; None where it is gone."""
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_size, stat.st_mtime_ns


@dataclass(frozen=True)
class Content:
    """Frames (n, ny, nx) of one file with their positions (n, 2), and how it begins a scan."""

    frames: NDArray[Any]
    begin: Begin
    positions: Positions | None = None


def frame_files(folder: Path, pattern: str, known: Container[str]) -> Iterator[FrameFile]:
    """The files in a folder and in the folders in it, one level deep, whose paths are not known yet.

    Hidden files are left out, and dark series where there is no pattern.
    """
    for path in _entries(folder, known):
        if path.suffix.lower() not in (*_TIFF, *_HDF5) and path.is_dir():
            for inner in _entries(path, known):
                yield from _frame_file(inner, pattern)
        else:
            yield from _frame_file(path, pattern)


def _entries(folder: Path, known: Container[str]) -> Iterator[Path]:
    try:
        names = os.listdir(folder)  # noqa: PTH208 - at every look all names are seen again, and there may be very many
    except OSError:  # it went meanwhile
        return
    before = f"{folder}{os.sep}"
    yield from (folder / name for name in names if not name.startswith(".") and before + name not in known)


def _frame_file(path: Path, pattern: str) -> Iterator[FrameFile]:
    fits = fnmatch.fnmatch(path.name, pattern) if pattern else not path.name.lower().startswith("dark")
    if path.suffix.lower() in (*_TIFF, *_HDF5) and fits:
        match = _NUMBERED.match(path.stem)
        before, number, behind = match.groups() if match else (path.stem, None, "")
        yield FrameFile(path, (path.parent, before, behind + path.suffix), None if number is None else int(number))


def read(path: Path) -> Content:
    """All frames of a file. Raises `InputError`, or whatever its decoder raises, where it is damaged or not whole."""
    if path.suffix.lower() in _TIFF:
        frames = tiff.whole(path, LARGEST_FRAME_BYTES)
        ny, nx = frames.shape[1:]
        return Content(frames, Begin((ny, nx), frames.dtype, positions_unit=None))
    with hdf5.opened(path) as file:
        growing = found_in(file, path, Names())
        if growing is None or not growing.frames.shape[0]:
            raise InputError(f"{path} holds no frames.")
        count, begin = growing.frames.shape[0], growing.begin
        if count * np.prod(begin.shape) * begin.dtype.itemsize > files.memory_limit_bytes():
            raise InputError(f"{path} says that it holds {count} frames: too many.")
        positions = growing.positions.read(0, count) if growing.positions is not None else None
        fits = positions is not None and len(positions) == count
        return Content(np.asarray(growing.frames[0:count]), begin, positions if fits else None)
