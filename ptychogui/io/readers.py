"""The readers, found by the content of a file and never by its name."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

from ptychogui.io import cxi, files, mapped, npy, npz, tiff
from ptychogui.io.data import Data
from ptychogui.io.raw import Reader
from ptychogui.params import InputError
from ptychogui.types import Frames

READERS: tuple[Reader, ...] = (
    cxi,
    npz,
    npy,
    tiff,
    *(point.load() for point in entry_points(group="ptychogui.readers")),
    mapped,
)


def formats() -> tuple[Reader, ...]:
    """The modules that read a file format, in the order in which they are asked."""
    return READERS


def reader_of(path: Path, data: Data | None = None) -> Reader:
    """The reader of a file or folder; where `data` says what is what in it, that counts and not the file's format.

    Raises `InputError` where it is missing or none of the formats.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist; check the name.")
    if data is not None and data.mapping is not None and data.mapping.given and mapped.sniff(path):
        return mapped
    for reader in READERS:
        if reader.sniff(path):
            return reader
    names = ", ".join(reader.NAME for reader in READERS)
    raise InputError(f"{path} is {_kind(path)}, none of the formats that can be read: {names}.")


def _kind(path: Path) -> str:
    if path.is_dir():
        return "a folder without TIFF frames"
    start = files.head(path, 512)
    if not start:
        return "an empty file"
    printable = b"\0" not in start and start.decode("utf-8", "replace").count("\ufffd") <= 1
    return "a text file" if printable else "a binary file"


def frames_of(path: Path) -> Frames:
    """The frames (n, ny, nx) that a file holds, for a dark series or a mask; a single image is one frame."""
    if npy.sniff(path):
        array = npy.load(path)
        return array.reshape(-1, *array.shape[-2:])
    if tiff.sniff(path):
        return tiff.pages(path)
    return reader_of(path).read(path, Data(path=str(path))).frames
