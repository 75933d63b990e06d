"""The object as views show it: the scanned part of a running or a finished job, no larger than a screen."""

from __future__ import annotations

import math
import threading
import weakref
from dataclasses import dataclass

from ptychogui.io.picture import inside_scan, scanned_area
from ptychogui.types import Complex, Dataset, Mask, Object, Positions, Result, Scan, Snapshot

SIDE_PX = 2048
"""A finished object is shown with at most this many pixels on a side."""


@dataclass(frozen=True)
class ShownObject:
    """The object (Y, X), its place, the positions (N, 2) as they are known now, and what is said of it."""

    image: Complex
    pixel_m: tuple[float, float]
    origin_m: tuple[float, float]
    positions_m: Positions
    note: str


def shown_object(result: Result | None, snapshot: Snapshot | None) -> ShownObject | None:
    """The object of a result, or else of a snapshot; slices of it are multiplied. From any thread."""
    if result is not None:
        return _of_results.of(result)
    if snapshot is None:
        return None
    note = f"epoch {snapshot.epoch} of {snapshot.epochs}"
    return ShownObject(
        snapshot.preview, snapshot.preview_pixel_m, snapshot.preview_origin_m, snapshot.positions_m, note
    )


def _of_result(result: Result) -> ShownObject:
    area = scanned_area(result.obj, result.scan, (result.probe.modes.shape[-2], result.probe.modes.shape[-1]))
    (dy, dx), (y, x) = result.obj.pixel_m, result.obj.origin_m
    image = result.lit[(slice(None), *area)].prod(0)
    step = math.ceil(max(image.shape) / SIDE_PX)
    origin = y + area[0].start * dy, x + area[1].start * dx
    return ShownObject(image[::step, ::step], (dy * step, dx * step), origin, result.scan.positions_m, "")


class _OfResults:
    """Several views ask for the object of one result at once: it is made once, and kept as long as the result."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[weakref.ref[Result], ShownObject] | None = None

    def of(self, result: Result) -> ShownObject:
        """The object of this result."""
        with self._lock:
            if self._last is None or self._last[0]() is not result:
                self._last = weakref.ref(result, self._forget), _of_result(result)
            return self._last[1]

    def _forget(self, gone: weakref.ref[Result]) -> None:
        if self._last is not None and self._last[0] is gone:
            self._last = None


_of_results = _OfResults()


class Scanned:
    """The pixels of an object between the positions, kept for the next picture of the same run. From any thread."""

    def __init__(self) -> None:
        self._known: tuple[Positions, tuple[object, ...], Mask | None] | None = None

    def inside(self, shown: ShownObject, positions_m: Positions) -> Mask | None:
        """They tell the range of the picture and its phase ramp; None where no pixel lies between the positions."""
        known, place = self._known, (shown.image.shape, shown.pixel_m, shown.origin_m)
        if known is not None and known[0] is positions_m and known[1] == place:
            return known[2]
        inside = inside_scan(Object(shown.image[None], shown.pixel_m, shown.origin_m), Scan(positions_m))
        use = inside if inside.any() else None
        self._known = positions_m, place, use
        return use


def wavelength_m(result: Result | None, dataset: Dataset | None) -> float | None:
    """The wavelength with which a result was made, or which its data have."""
    known = result or dataset
    return known.geometry.wavelength_m if known is not None else None
