"""The positions in metres, from a listing in whatever unit or from the shape and step of a raster."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ptychogui.geometry import Geometry
from ptychogui.io.data import Data
from ptychogui.io.geometry import coarser
from ptychogui.io.geometry import geometry as geometry_of
from ptychogui.io.raw import Listing, PositionUnit, Raw, pair
from ptychogui.params import InputError, format_quantity
from ptychogui.types import Origin, Positions, Scan, Value

METRES: dict[str, float] = {"m": 1.0, "mm": 1e-3, "um": 1e-6, "nm": 1e-9}


@dataclass(frozen=True)
class Found:
    """A scan, whether somebody gave it, and how to tell people."""

    scan: Scan
    known: bool
    value: Value


def find(
    raw: Raw, listing: Listing | None, data: Data, geometry: Geometry, numbers: NDArray[np.intp], need_scan: bool
) -> Found:
    """The positions of those frames of the file that are used, by their `numbers`.

    `listing` is from the user's positions file, and comes before what the data file holds. A pixel as a unit is that
    of the file's whole frames, before cropping and binning. Where nothing is known an even raster is made up, unless
    `need_scan`: then `InputError` says what to give. It is raised too where positions and frames are not as many, or
    where neighbours are further apart than a frame is wide.
    """
    count = raw.frames.shape[0]
    origin: Origin = "user" if listing is not None else "file"
    listing = listing or raw.positions
    shape = data.scan_shape or raw.scan_shape
    pixel_m = np.asarray(geometry.pixel_m) / coarser(raw, data, geometry.shape, geometry.field == "far")
    if data.positions is None and data.scan_step_m is not None and shape is not None:
        found = _raster(shape, pair(data.scan_step_m), geometry, pixel_m, count)
        found = replace(found, scan=Scan(found.scan.positions_m[numbers]))
    elif listing is not None:
        found = _listed(_used(listing, count, numbers), data, geometry, pixel_m, origin)
    elif need_scan:
        raise InputError(_missing(raw, data, count))
    else:
        found = _made_up(raw, data, geometry, count)
        return replace(found, scan=Scan(found.scan.positions_m[numbers]))
    return _oriented(found, data, geometry, need_scan)


def _missing(raw: Raw, data: Data, count: int) -> str:
    if raw.scan_shape is not None:
        return f"The step of the {raw.scan_shape[0]} × {raw.scan_shape[1]} scan is not known; give data.scan_step_m."
    return (
        f"The positions of the {count} frames are not known; give data.positions (a text file), "
        "or data.scan_shape and data.scan_step_m for a raster scan."
    )


def _raster(
    shape: tuple[int, int], step: tuple[float, float], geometry: Geometry, pixel_m: Positions, count: int
) -> Found:
    rows, columns = shape
    if rows * columns != count:
        raise InputError(
            f"A scan of {rows} × {columns} has {rows * columns} positions, but the file holds {count} frames; "
            "check data.scan_shape."
        )
    grid = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), axis=-1).reshape(-1, 2)
    doubt = "" if geometry.calibrated else "the step counts as pixels, since the pixel at the sample is not known"
    step_m = np.asarray(step) if geometry.calibrated else step * pixel_m
    return Found(Scan(grid * step_m), True, Value("positions", f"{rows} × {columns} raster", "user", doubt))


def _used(listing: Listing, count: int, numbers: NDArray[np.intp]) -> Listing:
    """The lines of a listing that belong to the frames in use."""
    if len(listing.values) != count:
        raise InputError(
            f"There are {count} frames but {len(listing.values)} positions; "
            "give the positions that belong to these frames with data.positions."
        )
    values = listing.values[numbers]
    lost = numbers[~np.isfinite(values).all(1)]
    if len(lost):
        raise InputError(
            f"{len(lost)} positions are not finite, the first is that of frame {lost[0]}; "
            "mend them, or leave such frames out with data.exclude."
        )
    return replace(listing, values=values)


def _listed(listing: Listing, data: Data, geometry: Geometry, pixel_m: Positions, origin: Origin) -> Found:
    columns = data.positions_columns or listing.columns
    values = listing.values if columns == "yx" else listing.values[:, ::-1]
    unit, unit_doubt = _unit(listing, data, geometry, pixel_m, values)
    scale = pixel_m if unit == "px" else METRES[unit]
    columns_doubt = "" if data.positions_columns else listing.columns_doubt
    doubt = "; ".join(filter(None, [columns_doubt, unit_doubt]))
    text = f"{listing.text} ({columns}, {unit})"
    return Found(Scan(values * scale), True, Value("positions", text, "guessed" if doubt else origin, doubt))


def unit_of(raw: Raw, data: Data) -> PositionUnit:
    """The unit of the positions that a source lists: said, or guessed as for a file."""
    assert raw.positions is not None
    optics = geometry_of(raw, data, (raw.frames.shape[1] // data.bin, raw.frames.shape[2] // data.bin))
    pixel_m = np.asarray(optics.pixel_m) / coarser(raw, data, optics.shape, optics.field == "far")
    return _unit(raw.positions, data, optics, pixel_m, raw.positions.values)[0]


def _unit(
    listing: Listing, data: Data, geometry: Geometry, pixel_m: Positions, values: Positions
) -> tuple[PositionUnit, str]:
    """The unit of the positions: said, or the one in which the step is the most plausible part of a frame."""
    said: PositionUnit | None = data.positions_unit or listing.unit
    if said is not None:
        return said, ""
    if not geometry.calibrated:
        return "px", "the unit is not said; pixels are assumed, since the pixel at the sample is not known"
    step = Scan(values).step_m
    if step == 0:
        return "m", "the unit is not said; metres are assumed"
    window = min(n * d for n, d in zip(geometry.shape, geometry.pixel_m))
    in_metres = {**METRES, "px": float(min(pixel_m))}
    best = min(in_metres, key=lambda name: abs(math.log(step * in_metres[name] / (0.1 * window))))
    unit: PositionUnit = best  # type: ignore[assignment]
    return unit, f"the unit is guessed from the step, {step * in_metres[best] / window:.0%} of the frame's width"


def _made_up(raw: Raw, data: Data, geometry: Geometry, count: int) -> Found:
    """An even raster of a tenth of a frame, so that frames can be looked at before anybody says more."""
    rows, columns = data.scan_shape or raw.scan_shape or (0, 0)
    if rows * columns != count:
        columns = math.ceil(math.sqrt(count))
    step = 0.1 * np.asarray(geometry.shape) * np.asarray(geometry.pixel_m)
    index = np.arange(count)
    positions = np.stack([index // columns, index % columns], axis=1) * step
    return Found(Scan(positions), False, Value("positions", "not known", "default", _missing(raw, data, count)))


def _oriented(found: Found, data: Data, geometry: Geometry, need_scan: bool) -> Found:
    """Rotate, then transpose and reverse the axes as the user says, and check that frames touch each other."""
    y, x = found.scan.positions_m.T
    cos, sin = math.cos(data.scan_rotation_rad), math.sin(data.scan_rotation_rad)
    y, x = x * sin + y * cos, x * cos - y * sin
    if data.scan_flip.startswith("t"):
        y, x = x, y
    y = -y if "y" in data.scan_flip else y
    x = -x if "x" in data.scan_flip else x
    scan = Scan(np.stack([y, x], axis=1).astype(np.float64))
    doubt = spread_doubt(scan, geometry)
    if doubt and need_scan:
        raise InputError(f"The positions do not fit: {doubt}.")
    value = found.value
    low, high = scan.bounds_m
    unit = _unit_of_lengths(scan, geometry)
    extent = " × ".join(_rounded(float(size), unit) for size in high - low)
    text = f"{value.text}: step {_rounded(scan.step_m, unit)}, over {extent}"
    if data.scan_rotation_rad or data.scan_flip != "none":
        text += f", rotated by {math.degrees(data.scan_rotation_rad):g}°, flip {data.scan_flip}"
    doubt = "; ".join(filter(None, [value.doubt, doubt]))
    return Found(scan, True, Value(value.name, text, value.origin, doubt))


def _rounded(length: float, unit: str) -> str:
    return format_quantity(float(f"{length:.4g}"), unit)


def _unit_of_lengths(scan: Scan, geometry: Geometry) -> str:
    """Without a known pixel lengths count as pixels, but for a scan that would not even cover one of them."""
    low, high = scan.bounds_m
    return "m" if geometry.calibrated or 0 < (high - low).max() < 1 else "px"


def spread_doubt(scan: Scan, geometry: Geometry) -> str:
    """Why the distances between positions cannot be right, in view of the pixel at the sample."""
    if len(scan) < 2:
        return ""
    unit = _unit_of_lengths(scan, geometry)
    window = max(n * pixel for n, pixel in zip(geometry.shape, geometry.pixel_m))
    if scan.step_m > window:
        return (
            f"they do not overlap, neighbours are {format_quantity(scan.step_m, unit)} apart and a frame covers "
            f"{format_quantity(window, unit)}; check data.positions_unit, energy, distance and pixel"
        )
    low, high = scan.bounds_m
    spread_px = float(max((high - low) / np.asarray(geometry.pixel_m)))
    if unit == "m" and not geometry.calibrated:
        return (
            "they are in metres and the pixel at the sample is not known; "
            "give energy, distance and detector pixel, or data.pixel_m"
        )
    if spread_px < 1:
        return (
            f"all of them lie within {spread_px:.2g} of a pixel at the sample; "
            "check data.positions_unit, energy, distance and pixel, or give data.pixel_m"
        )
    if spread_px > 100_000:
        return f"they spread over {spread_px:.2g} pixels at the sample; check data.positions_unit and the geometry"
    return ""
