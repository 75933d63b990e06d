"""What a reader finds in a file, before anything is prepared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from ptychogui.io.data import Data
from ptychogui.params import InputError
from ptychogui.types import Complex, Frames, Mask, Positions, Real, Truth

PositionUnit = Literal["m", "mm", "um", "nm", "px"]


@dataclass(frozen=True)
class Listing:
    """Positions as a file lists them: `values` (N, 2) in `unit` and in the order of `columns`.

    `unit` is None where the file does not say; `columns_doubt` says why the order is only a guess.
    """

    values: Positions
    unit: PositionUnit | None
    text: str
    columns: Literal["yx", "xy"] = "yx"
    columns_doubt: str = ""


@dataclass(frozen=True)
class Raw:
    """A file as it is: `frames` (N, ny, nx) in the file's own layout and whatever else it says.

    `mask` (ny, nx) is True where a pixel may be used, `dark` (ny, nx) is a mean dark frame, `monitor` (N,) the
    intensity of the beam, `found` holds values by the names of the fields of `Data`, with pixels as pairs (y, x).
    """

    frames: Frames
    positions: Listing | None = None
    scan_shape: tuple[int, int] | None = None
    mask: Mask | None = None
    dark: Real | None = None
    dark_text: str = ""
    monitor: Positions | None = None
    monitor_text: str = ""
    probe: Complex | None = None
    truth: Truth | None = None
    found: Mapping[str, Any] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)


class Reader(Protocol):
    """A module for one file format."""

    NAME: str

    def sniff(self, path: Path) -> bool:
        """Whether the content of the file is of this format."""
        ...

    def read(self, path: Path, data: Data) -> Raw:
        """Open it, without reading more than is needed."""
        ...


def checked_frames(frames: Frames, path: Path) -> Frames:
    """The frames, if they are a stack (N, ny, nx) of real numbers; raises `InputError` otherwise."""
    if len(frames.shape) != 3 or 0 in frames.shape:
        raise InputError(
            f"{path} holds an array of shape {tuple(frames.shape)}, but frames have three dimensions "
            "(frame, y, x), none of them empty."
        )
    if min(frames.shape[1:]) < 4:
        raise InputError(
            f"{path} holds frames of {frames.shape[1]} × {frames.shape[2]} pixels: too small to be frames."
        )
    if frames.dtype.kind not in "uifb":
        raise InputError(f"{path} holds frames of type {frames.dtype}, but counts are real numbers.")
    return frames


def without_leading_ones(array: Any, dimensions: int) -> Any:
    """The array with leading axes of length 1 removed until it has so many dimensions."""
    while array.ndim > dimensions and array.shape[0] == 1:
        array = array[0]
    return array


def pair(value: Any) -> tuple[float, float]:
    """One number or (y, x) as a pair."""
    numbers = np.atleast_1d(np.asarray(value, dtype=np.float64)).ravel()
    return float(numbers[0]), float(numbers[-1])
