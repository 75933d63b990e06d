"""What a source tells while a scan is running: plain data, one event after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.io.raw import PositionUnit
from ptychogui.types import Complex, Mask, Positions

Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class Begin:
    """A scan begins: frames of `shape` (ny, nx) and `dtype` are to come, zero frequency in the centre.

    `frames` is how many, where the source says so. `found` holds values by the names of the fields of
    `ptychogui.io.data.Data` (energy_eV, distance_m, detector_pixel_m …), in SI. `positions_m` (N, 2) are those of all
    frames by their numbers, where the source knows them before; these and all that come later are in
    `positions_unit`, which is px where nobody knows the pixel at the sample, and None where it is not said. `mask`
    (ny, nx) is True where a pixel may be used.
    """

    shape: tuple[int, int]
    dtype: np.dtype[Any]
    frames: int | None = None
    name: str = ""
    found: Mapping[str, Any] = field(default_factory=dict)
    positions_m: Positions | None = None
    positions_unit: PositionUnit | None = "m"
    mask: Mask | None = None
    probe: Complex | None = None


@dataclass(frozen=True)
class Block:
    """Frames (b, ny, nx) by their `numbers` (b,) in the scan, in any order; `positions_m` (b, 2) where they come along,
    `time_s` (b,) where each has a time stamp."""

    numbers: Numbers
    frames: NDArray[Any]
    positions_m: Positions | None = None
    time_s: Positions | None = None


@dataclass(frozen=True)
class Places:
    """Positions (b, 2) from a second stream: of the frames of these `numbers` (b,), or at the times `time_s` (b,)."""

    positions_m: Positions
    numbers: Numbers | None = None
    time_s: Positions | None = None


@dataclass(frozen=True)
class End:
    """The scan is over, as the source says."""


@dataclass(frozen=True)
class Odd:
    """Something came that is not understood; `frames` of it are lost. One sentence for the user."""

    sentence: str
    frames: int = 0


@dataclass(frozen=True)
class Note:
    """What the source waits for or does, in one sentence; nothing is wrong."""

    sentence: str


Event = Begin | Block | Places | End | Odd | Note
