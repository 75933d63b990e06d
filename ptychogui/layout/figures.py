"""What a layout costs and gives: overlap, coverage, dose, time, size of the file."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptychogui.layout.base import Points
from ptychogui.params import Count, Length, Params, Positive, Seconds

CELLS = 160
"""The longer side of a coverage map has so many cells."""


class Exposure(Params):
    """What every point of a layout is measured with."""

    probe_m: Length | None = None
    """Diameter of the probe on the sample; unset: that of the scan's probe, where it is known."""
    photons: Positive | None = None
    """Photons or electrons in a frame; unset: the mean counts of the scan's frames, where they are known."""
    dwell_s: Seconds = 0.1
    """Exposure time of a frame."""
    move_s: Seconds = 0.05
    """Time from the end of a frame to the start of the next: moving, settling, reading out."""
    frame_shape: tuple[Count, Count] = (256, 256)
    """Rows and columns of a frame, for the size of the file."""
    bytes_per_pixel: Count = 2
    """Bytes of a pixel in the file, before it is compressed."""


@dataclass(frozen=True)
class Coverage:
    """How many probes light each place: `count` (Y, X), with the place (y, x) of its first cell and its cells' side."""

    count: NDArray[np.float64]
    origin_m: tuple[float, float]
    cell_m: float

    @property
    def lit_m2(self) -> float:
        """The area that at least one probe lights."""
        return float((self.count > 0.5).sum()) * self.cell_m**2

    @property
    def median(self) -> float:
        """How many probes light a place that is lit, at the median."""
        lit = self.count[self.count > 0.5]
        return float(np.median(lit)) if len(lit) else 0.0


@dataclass(frozen=True)
class Figures:
    """The figures of a layout; those that need the probe's diameter or the photons are None without them."""

    points: int
    step_m: float
    overlap: float | None
    """Linear overlap of neighbours, 1 − step / diameter."""
    shared_area: float | None
    """The part of a probe's disc that its neighbour covers too."""
    covered_by: float | None
    """How many probes light a place, at the median."""
    lit_m2: float | None
    dose_per_m2: float | None
    """Mean photons or electrons for each m² of the lit area."""
    seconds: float
    file_bytes: int


def figures(points: Points, exposure: Exposure, coverage: Coverage | None = None) -> Figures:
    """The figures of positions (N, 2); `coverage` is theirs, if it is known already."""
    count, diameter_m = len(points), exposure.probe_m
    step = step_m(points)
    if coverage is None and diameter_m is not None:
        coverage = coverage_of(points, diameter_m)
    lit = coverage.lit_m2 if coverage is not None else None
    known = diameter_m is not None and count > 1
    return Figures(
        points=count,
        step_m=step,
        overlap=1 - step / diameter_m if diameter_m is not None and known else None,
        shared_area=shared_area(step / diameter_m) if diameter_m is not None and known else None,
        covered_by=coverage.median if coverage is not None else None,
        lit_m2=lit,
        dose_per_m2=exposure.photons * count / lit if exposure.photons is not None and lit else None,
        seconds=count * exposure.dwell_s + max(count - 1, 0) * exposure.move_s,
        file_bytes=count * math.prod(exposure.frame_shape) * exposure.bytes_per_pixel,
    )


def step_m(points: Points) -> float:
    """The median distance of positions (N, 2) to the nearest neighbour; 0 for a single one."""
    from scipy.spatial import KDTree

    if len(points) < 2:
        return 0.0
    return float(np.median(np.asarray(KDTree(points).query(points, k=2)[0])[:, 1]))


def shared_area(part: float) -> float:
    """The part of a disc's area that an equal one covers, whose middle is `part` diameters away."""
    if part >= 1:
        return 0.0
    return 2 / math.pi * (math.acos(part) - part * math.sqrt(1 - part**2))


def coverage_of(points: Points, diameter_m: float) -> Coverage | None:
    """How many discs of a diameter light each place around positions (N, 2); None where there are none."""
    if not len(points):
        return None
    low, high = points.min(0) - 0.6 * diameter_m, points.max(0) + 0.6 * diameter_m
    cell = float((high - low).max()) / CELLS
    shape = tuple(int(n) for n in np.ceil((high - low) / cell) + 1)
    index = np.rint((points - low) / cell).astype(int)
    hits = np.zeros(shape)
    np.add.at(hits, (index[:, 0], index[:, 1]), 1)
    y, x = (np.fft.fftfreq(n, 1 / n) * cell for n in shape)
    disc = _covered(np.hypot(y[:, None], x[None, :]), diameter_m / 2, cell)
    count = np.fft.irfft2(np.fft.rfft2(hits) * np.fft.rfft2(disc), s=shape)
    return Coverage(count, (float(low[0]), float(low[1])), cell)


def _covered(distance_m: Points, radius_m: float, cell_m: float) -> Points:
    """The part of each cell in a disc; cells at its rim count in part, so that small discs keep their area."""
    return np.clip((radius_m - distance_m) / cell_m + 0.5, 0, 1)
