"""From frames as they lie in a file to frames ready for a run, block by block as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from ptychogui.io.data import Orientation
from ptychogui.io.raw import Raw
from ptychogui.params import InputError
from ptychogui.types import Frames, Mask, Real, Value

BLOCK = 32


@dataclass(frozen=True)
class Layout:
    """How a frame of the file becomes a prepared frame: shift, transpose, reverse, cut a window out, bin.

    `corner` (y, x) is the first pixel of the window in the frame that was shifted and flipped, `shape` the window's
    size in those pixels, a multiple of `bin`. A window may reach over the edge; what lies there is not valid.
    """

    from_corner: bool
    flip: str
    corner: tuple[int, int]
    shape: tuple[int, int]
    bin: int

    @property
    def prepared_shape(self) -> tuple[int, int]:
        """The size (ny, nx) of a prepared frame."""
        return self.shape[0] // self.bin, self.shape[1] // self.bin

    def turned(self, block: NDArray[Any]) -> NDArray[Any]:
        """Frames (…, ny, nx) shifted, transposed and reversed, still whole."""
        if self.from_corner:
            block = np.fft.fftshift(block, axes=(-2, -1))
        if self.flip.startswith("t"):
            block = np.swapaxes(block, -2, -1)
        if "y" in self.flip:
            block = block[..., ::-1, :]
        if "x" in self.flip:
            block = block[..., ::-1]
        return block

    def turned_point(self, point: tuple[float, float], shape: tuple[int, int]) -> tuple[float, float]:
        """Where a pixel (y, x) of a frame of `shape` in the file goes when the frame is shifted and flipped."""
        y, x = point
        ny, nx = shape
        if self.from_corner:
            y, x = (y + ny // 2) % ny, (x + nx // 2) % nx
        if self.flip.startswith("t"):
            y, x, ny, nx = x, y, nx, ny
        return (ny - 1 - y if "y" in self.flip else y), (nx - 1 - x if "x" in self.flip else x)

    def file_point(self, point: tuple[float, float], shape: tuple[int, ...]) -> tuple[float, float]:
        """Where a pixel (y, x) of a prepared frame lies in the frame of `shape` (ny, nx) in the file."""
        y, x = (p * self.bin + (self.bin - 1) / 2 + first for p, first in zip(point, self.corner))
        ny, nx = shape
        rows, columns = (nx, ny) if self.flip.startswith("t") else (ny, nx)
        y, x = (rows - 1 - y if "y" in self.flip else y), (columns - 1 - x if "x" in self.flip else x)
        if self.flip.startswith("t"):
            y, x = x, y
        return ((y - ny // 2) % ny, (x - nx // 2) % nx) if self.from_corner else (y, x)

    def frames(self, block: Real) -> Real:
        """Frames (n, ny, nx) of the file as prepared frames; NaN where the window reaches over the edge."""
        return self._binned(self._window(self.turned(block), np.nan)).astype(np.float32, copy=False)

    def mask(self, mask: Mask) -> Mask:
        """The mask (ny, nx) of prepared frames: a binned pixel counts if all of its pixels do."""
        whole: Mask = self._binned(self._window(self.turned(mask), False).astype(np.int32)) == self.bin**2
        return whole

    def _window(self, block: NDArray[Any], fill: float) -> NDArray[Any]:
        inner, outer = [], []
        for start, size, limit in zip(self.corner, self.shape, block.shape[-2:]):
            low, high = max(start, 0), min(start + size, limit)
            inner.append(slice(low, high))
            outer.append(slice(low - start, high - start))
        cut = block[..., inner[0], inner[1]]
        if cut.shape[-2:] == self.shape:
            return cut
        window = np.full((*block.shape[:-2], *self.shape), fill, dtype=block.dtype)
        window[..., outer[0], outer[1]] = cut
        return window

    def _binned(self, block: NDArray[Any]) -> NDArray[Any]:
        if self.bin == 1:
            return block
        ny, nx = self.prepared_shape
        parts: NDArray[Any] = block.reshape(*block.shape[:-2], ny, self.bin, nx, self.bin).sum((-3, -1))
        return parts


def composed(first: Orientation, then: Orientation) -> Orientation:
    """The one orientation that does what two do one after the other."""
    numbers = np.arange(6).reshape(2, 3)
    both = _turned_by(_turned_by(numbers, first), then)
    return next(flip for flip in get_args(Orientation) if np.array_equal(_turned_by(numbers, flip), both))


def _turned_by(values: NDArray[Any], flip: str) -> NDArray[Any]:
    return Layout(False, flip, (0, 0), (1, 1), 1).turned(values)


def window(
    shape: tuple[int, int], centre: tuple[float, float], crop: int | tuple[int, int] | None, bin: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """The first pixel and size of the window whose middle (index n // 2 after binning) is at `centre`.

    Raises `InputError` where the crop is larger than the frame or binning leaves nothing.
    """
    wanted = shape if crop is None else crop if isinstance(crop, tuple) else (crop, crop)
    if any(c > n for c, n in zip(wanted, shape)):
        text = f"{wanted[0]} × {wanted[1]}" if isinstance(crop, tuple) else str(crop)
        raise InputError(f"data.crop is {text}, but the frames have {shape[0]} × {shape[1]} pixels.")
    sizes = [n // bin for n in wanted]
    if min(sizes) < 4:
        raise InputError(f"data.bin = {bin} leaves {sizes[0]} × {sizes[1]} pixels of a frame; take a smaller one.")
    if not all(0 <= c <= n - 1 for c, n in zip(centre, shape)):
        raise InputError(f"The centre {centre[0]:g}, {centre[1]:g} lies outside the frames of {shape[0]} × {shape[1]}.")
    start = [round(c) - (n // 2) * bin for c, n in zip(centre, sizes)]
    return (start[0], start[1]), (sizes[0] * bin, sizes[1] * bin)


def counts(block: NDArray[Any]) -> Real:
    """Values of a detector as float32 counts: NaN for what marks a gap (negative or the largest of an integer type)."""
    values: Real = block.astype(np.float32)
    if block.dtype.kind == "i":
        values[block < 0] = np.nan
    if block.dtype.kind in "ui" and block.dtype.itemsize > 1:
        values[block == np.iinfo(block.dtype).max] = np.nan
    if block.dtype.kind == "f":
        values[~np.isfinite(values)] = np.nan
    return values


@dataclass(frozen=True)
class Correction:
    """A `dark` frame (ny, nx) that is subtracted, then `gain` (ny, nx) that is multiplied, NaN where unusable.

    `values` tell people where they come from.
    """

    dark: Real | None
    gain: Real | None
    values: tuple[Value, ...]

    def apply(self, block: Real) -> Real:
        """Frames (n, ny, nx) of counts without what the detector adds; below zero only without a dark frame."""
        if self.dark is not None:
            block = np.maximum(block - self.dark, 0)
        return block if self.gain is None else block * self.gain


@dataclass(frozen=True)
class PreparedFrames:
    """Frames (N, ny, nx) of float32 counts with zero frequency in the centre, made as they are read.

    `numbers` are the frames of the file that are used, `used` is the mask (ny, nx) of a prepared frame. Pixels outside
    the mask hold 0; a pixel that is not valid in one frame holds NaN. Reading a frame without a valid pixel raises
    `InputError`. `raw` is what the reader found in the file.
    """

    raw: Raw
    numbers: NDArray[np.intp]
    layout: Layout
    used: Mask
    correction: Correction
    saturation: float | None = None
    negative_valid: bool = True
    """Whether a value below zero is noise that counts as 0, and not the mark of a gap."""
    weights: Real | None = None
    """By what each frame (N,) of the file is multiplied."""
    total: float | None = None
    """The sum to which every frame is brought."""

    @property
    def source(self) -> Frames:
        """The frames as they are in the file."""
        return self.raw.frames

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, ny, nx)"""
        return len(self.numbers), self.used.shape[0], self.used.shape[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32"""
        return np.dtype(np.float32)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: Any) -> Real:
        numbers = self.numbers[index]
        if np.ndim(numbers) == 0:
            single: Real = self._prepared(np.atleast_1d(numbers))[0]
            return single
        prepared = np.empty((len(numbers), *self.used.shape), np.float32)
        for start in range(0, len(numbers), BLOCK):
            prepared[start : start + BLOCK] = self._prepared(numbers[start : start + BLOCK])
        return prepared

    def blocks(self) -> Iterator[tuple[int, Real]]:
        """All frames in their order, as (number of the first one, block)."""
        for start in range(0, len(self), BLOCK):
            yield start, self[start : start + BLOCK]

    def _prepared(self, numbers: NDArray[np.intp]) -> Real:
        block = counts(rows(self.source, numbers))
        if not self.negative_valid:
            block[block < 0] = np.nan
        if self.saturation is not None:
            block[block >= self.saturation] = np.nan
        block = self.correction.apply(block)
        np.maximum(block, 0, out=block)
        if self.weights is not None:
            block *= self.weights[numbers, None, None]
        block = self.layout.frames(block)
        blind = ~np.isfinite(block[:, self.used]).any(1)
        if blind.any():
            raise InputError(
                f"Frame {numbers[blind][0]} has not one valid pixel ({blind.sum()} of these {len(block)} frames); "
                "leave such frames out with data.exclude, or check the mask."
            )
        prepared: Real = np.where(self.used, block, np.float32(0))
        return prepared if self.total is None else prepared * _to_sum(self.total, prepared)


def _to_sum(total: float, block: Real) -> Real:
    """By what frames (n, ny, nx) are multiplied to have the same sum over their valid pixels; one without counts by 1.

    A pixel that is invalid in a frame takes no part in its sum, so that frames with many of them come out too strong.
    """
    sums = np.where(np.isfinite(block), block, 0).sum((1, 2), dtype=np.float64)
    factors: Real = np.where(sums > 0, total / np.where(sums > 0, sums, 1), 1).astype(np.float32)
    return factors[:, None, None]


def rows(frames: Frames, numbers: NDArray[np.intp]) -> NDArray[Any]:
    """Some frames in any order, read in runs of neighbours, as files like it."""
    unique, inverse = np.unique(numbers, return_inverse=True)
    runs = np.split(unique, np.flatnonzero(np.diff(unique) != 1) + 1)
    parts = [np.asarray(frames[int(run[0]) : int(run[-1]) + 1]) for run in runs]
    if len(parts) == 1 and len(unique) == len(numbers) and (inverse[:-1] <= inverse[1:]).all():
        return parts[0]
    return np.concatenate(parts)[inverse]


def spread(count: int, most: int) -> NDArray[np.intp]:
    """At most so many frame numbers, evenly over the scan."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.intp))
