"""TIFF frames, in one file of many pages or a folder, with positions as text and dark frames beside them."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tifffile
from numpy.typing import NDArray

from ptychogui.geometry import Geometry
from ptychogui.io import files, hdf5
from ptychogui.io.data import Data
from ptychogui.io.raw import Listing, Raw, checked_frames
from ptychogui.io.sidecar import write_sidecar
from ptychogui.io.text import read_positions
from ptychogui.io.truth import read_truth, write_truth
from ptychogui.params import InputError
from ptychogui.types import Dataset, Frames, Real, Truth

NAME = "TIFF"

_TRUTH = "truth.h5"
_LENGTHS = ("wavelength_m", "distance_m", "focus_to_sample_m", "convergence_rad", "defocus_m")
_NATIVE = "<" if sys.byteorder == "little" else ">"
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def sniff(path: Path) -> bool:
    """Whether the content begins as TIFF does, or the folder holds such files."""
    return bool(_images(path)) if path.is_dir() else files.head(path, 4) in _MAGIC


def read(path: Path, data: Data) -> Raw:
    """Open the frames, which stay on disk, and whatever lies beside them: positions and dark frames."""
    folder = path if path.is_dir() else path.parent
    images = _images(path) if path.is_dir() else [path]
    frames = [image for image in images if not _is_dark(image)]
    if not frames:
        raise InputError(f"{path} holds dark frames only.")
    dark = [image for image in _images(folder) if _is_dark(image) and image not in frames]
    stack = checked_frames(_stack(frames), path)
    dark_frame, dark_text = _mean(dark)
    listing = None if data.positions is not None else _listing(folder)
    return Raw(stack, positions=listing, dark=dark_frame, dark_text=dark_text, truth=_truth(folder / _TRUTH))


def _truth(path: Path) -> Truth | None:
    """What a simulation left beside its frames."""
    if not path.is_file():
        return None
    try:
        with hdf5.opened(path) as file:
            return read_truth(file)
    except KeyError as error:
        raise InputError(f"{path} is damaged: {error}; take it out of the folder.") from error


def _images(path: Path) -> list[Path]:
    candidates = [p for p in path.iterdir() if p.is_file() and not p.name.startswith(".")]
    return sorted((p for p in candidates if files.head(p, 4) in _MAGIC), key=_natural)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Sorts frame_2 before frame_10."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(int(p.isdigit()), int(p) if p.isdigit() else 0, p) for p in parts]


def _is_dark(path: Path) -> bool:
    return path.name.lower().startswith("dark")


def _listing(folder: Path) -> Listing | None:
    """The positions beside the frames: `positions.*`, or the only text file if it holds positions."""
    texts = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".txt", ".csv", ".dat", ".tsv"))
    named = [p for p in texts if p.stem.lower().startswith("position")]
    if len(named) == 1:
        return read_positions(named[0])
    try:
        return read_positions(texts[0]) if len(texts) == 1 else None
    except InputError:  # some other text
        return None


def pages(path: Path) -> Frames:
    """The pages of one TIFF file or of the files of a folder as frames."""
    return _stack(_images(path) if path.is_dir() else [path])


@dataclass(frozen=True)
class FileFrames:
    """Frames (N, ny, nx) in many TIFF files, read when they are indexed; `counts` are the pages of each file."""

    images: tuple[Path, ...]
    counts: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __getitem__(self, index: Any) -> NDArray[Any]:
        numbers = np.arange(self.shape[0])[index]
        if np.ndim(numbers) == 0:
            return self._frame(int(numbers))
        return np.stack([self._frame(int(n)) for n in numbers])

    def _frame(self, number: int) -> NDArray[Any]:
        ends = np.cumsum(self.counts)
        file = int(np.searchsorted(ends, number, side="right"))
        page: NDArray[Any] = _array(self.images[file])[number - ends[file]]
        return page


def _array(image: Path) -> NDArray[Any]:
    """All pages (n, ny, nx) of a file, mapped from disk where its layout allows, else in memory."""
    with _opened(image) as tiff:
        series = tiff.series
        if len(series) != 1:
            raise InputError(f"{image} holds {len(series)} kinds of images; keep one kind in a file.")
        if tiff.filehandle.is_file and series[0].dataoffset is not None and tiff.byteorder == _NATIVE:
            array: NDArray[Any] = np.memmap(image, series[0].dtype, "r", series[0].dataoffset, tuple(series[0].shape))
        elif series[0].nbytes > files.memory_limit_bytes():
            raise InputError(f"{image} unpacks to {series[0].nbytes / 2**30:.0f} GiB, which this machine cannot hold.")
        else:
            array = _decoded(series[0], image)
    return array.reshape(-1, *array.shape[-2:])


def whole(image: Path, largest_page_bytes: int) -> NDArray[Any]:
    """All pages (n, ny, nx) of a file in memory, for one that may still change or go.

    Raises `InputError` where it is no TIFF, not whole yet, or larger than it may be.
    """
    with _opened(image) as tiff:
        series = tiff.series
        if len(series) != 1 or len(series[0].shape) < 2:
            raise InputError(f"{image} holds {len(series)} kinds of images; keep one kind in a file.")
        ny, nx = series[0].shape[-2:]
        if ny * nx * series[0].dtype.itemsize > largest_page_bytes or series[0].nbytes > files.memory_limit_bytes():
            raise InputError(f"{image} says that it holds {' × '.join(map(str, series[0].shape))} pixels: too many.")
        return _decoded(series[0], image).reshape(-1, ny, nx)


def _decoded(series: Any, image: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = series.asarray()
    except (ValueError, OSError, IndexError, tifffile.TiffFileError) as error:
        raise InputError(f"{image} is a damaged TIFF file ({error}); copy it again.") from error
    return array


def _opened(image: Path) -> tifffile.TiffFile:
    try:
        return tifffile.TiffFile(files.source(image))
    except (tifffile.TiffFileError, ValueError, OSError, IndexError) as error:
        raise InputError(f"{image} is a damaged TIFF file ({error}); copy it again.") from error


def _stack(images: list[Path]) -> Frames:
    first = _array(images[0])
    if len(images) == 1:
        return first
    counts = [first.shape[0]]
    for image in images[1:]:
        with _opened(image) as tiff:
            shape = tuple(tiff.pages.first.shape)
            counts.append(len(tiff.pages))
        if shape != first.shape[1:]:
            raise InputError(f"{image.parent} holds images of {first.shape[1:]} and of {shape} pixels; keep one kind.")
    return FileFrames(tuple(images), tuple(counts), (sum(counts), *first.shape[1:]), first.dtype)


def _mean(images: list[Path]) -> tuple[Real | None, str]:
    if not images:
        return None, ""
    stack = _stack(images)
    total = np.zeros(stack.shape[1:])
    for n in range(stack.shape[0]):
        total += stack[n]
    return (total / stack.shape[0]).astype(
        np.float32
    ), f"{images[0].name}{' …' if len(images) > 1 else ''}, {stack.shape[0]} frames"


def write_folder(dataset: Dataset, dark: NDArray[Any], folder: Path) -> None:
    """Write 16-bit frames, a series of dark frames (n, ny, nx) and positions in µm, as an instrument leaves them.

    The mean dark frame is added to the frames, since an instrument's frames hold it. What TIFF cannot hold of the
    geometry goes into the TOML beside the folder, a truth into a file of its own.
    """
    for _ in folder_steps(dataset, dark, folder):
        pass


def folder_steps(dataset: Dataset, dark: NDArray[Any], folder: Path) -> Generator[None, None, None]:
    """What `write_folder` does, with a stop before the new files take their places: closed there, none is left."""
    files.check_folder(folder)
    offset = np.rint(dark.mean(0))
    with ExitStack() as stack:
        frames, darks, places = (
            stack.enter_context(files.replacing(folder / name)) for name in ("frames.tif", "dark.tif", "positions.txt")
        )
        with tifffile.TiffWriter(frames) as writer:
            for n in range(dataset.frames.shape[0]):
                frame = np.clip(np.nan_to_num(dataset.frames[n]) + offset, 0, 65534)
                writer.write(np.rint(frame).astype(np.uint16), contiguous=True)
        tifffile.imwrite(darks, np.rint(dark).astype(np.uint16), photometric="minisblack")
        lines = [f"{n}\t{y * 1e6:.6f}\t{x * 1e6:.6f}" for n, (y, x) in enumerate(dataset.scan.positions_m)]
        places.write_text("\n".join(["index\ty_um\tx_um", *lines]) + "\n", encoding="utf-8")
        if dataset.truth is not None:
            with h5py.File(stack.enter_context(files.replacing(folder / _TRUTH)), "w") as file:
                write_truth(file, dataset.truth)
        yield
    write_sidecar(said(dataset.geometry), folder)


def said(geometry: Geometry) -> Data:
    """A geometry as a person would give it."""
    values = {name: getattr(geometry, name) for name in ("field", *_LENGTHS)}
    pixels = {"detector_pixel_m": geometry.detector_pixel_m, "pixel_m": geometry.given_pixel_m}
    values |= {name: pixel[0] for name, pixel in pixels.items() if pixel is not None and pixel[0] == pixel[1]}
    return Data.read({name: value for name, value in values.items() if value is not None})
