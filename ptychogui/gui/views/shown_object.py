"""The object as views show it: the scanned part of a running or a finished job, no larger than a screen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ptychogui.io.picture import scanned_area
from ptychogui.types import Complex, Dataset, Positions, Result, Snapshot

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
    """The object of a result, or else of a snapshot; slices of it are multiplied."""
    if result is not None:
        return _of_result(result)
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


def wavelength_m(result: Result | None, dataset: Dataset | None) -> float | None:
    """The wavelength with which a result was made, or which its data have."""
    known = result or dataset
    return known.geometry.wavelength_m if known is not None else None
