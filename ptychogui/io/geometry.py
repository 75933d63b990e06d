"""The geometry, put together from what the user says and what the file holds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

from ptychogui.geometry import (
    ELECTRON_REST_EV,
    HC_EV_M,
    LONGEST_OF_ELECTRONS_M,
    Geometry,
    wavelength_of_electron_m,
    wavelength_of_photon_m,
)
from ptychogui.io.data import Data
from ptychogui.io.raw import Raw, pair
from ptychogui.params import InputError, format_quantity
from ptychogui.types import Origin, Value

_WAVELENGTHS = ("wavelength_m", "energy_eV", "kV")


def energy_of_eV(wavelength_m: float) -> float:
    """The energy of the photons, or the kinetic energy of the electrons, of this wavelength."""
    momentum_eV = HC_EV_M / wavelength_m
    if wavelength_m >= LONGEST_OF_ELECTRONS_M:
        return momentum_eV
    return math.hypot(momentum_eV, ELECTRON_REST_EV) - ELECTRON_REST_EV


def known(name: str, raw: Raw, data: Data) -> tuple[Any, Origin]:
    """The value of a field of `Data` and where it is from; (None, 'default') where nobody gives it."""
    given = getattr(data, name)
    if given is not None:
        return given, "user"
    if raw.found.get(name) is not None:
        return raw.found[name], "file"
    return None, "default"


def field_of(raw: Raw, data: Data) -> tuple[Literal["far", "near"], Origin]:
    """Far or near: as it is said, else near where a focus-to-sample distance is given, else far as a guess."""
    field, origin = known("field", raw, data)
    if field in ("far", "near"):
        return field, origin
    if known("focus_to_sample_m", raw, data)[0] is not None:
        return "near", "guessed"
    return "far", "guessed"


def coarser(raw: Raw, data: Data, shape: tuple[int, int], far: bool) -> tuple[float, float]:
    """How many pixels (y, x) at the sample of the file's whole frames make one of prepared frames of this shape.

    In the far field a smaller window makes them larger, in the near field binning does.
    """
    if not far:
        return float(data.bin), float(data.bin)
    y, x = (raw.frames.shape[axis] for axis in ((2, 1) if data.flip.startswith("t") else (1, 2)))
    return y / (shape[0] * data.bin), x / (shape[1] * data.bin)


def geometry(raw: Raw, data: Data, shape: tuple[int, int]) -> Geometry:
    """The geometry of prepared frames (ny, nx). Raises `InputError` where a value makes no sense."""
    for name in ("wavelength_m", "energy_eV", "kV", "distance_m", "detector_pixel_m", "focus_to_sample_m", "pixel_m"):
        value = known(name, raw, data)[0]
        if value is not None and not all(math.isfinite(v) and v > 0 for v in pair(value)):
            raise InputError(f"data.{name} is {value} in the file, but it must be positive; give it with --set.")
    pixel, _ = known("detector_pixel_m", raw, data)
    given_pixel, origin = known("pixel_m", raw, data)
    field = field_of(raw, data)[0]
    if pixel is not None:
        y, x = _turned(pixel, data)
        pixel = (y * data.bin, x * data.bin)
    if given_pixel is not None and origin == "file":  # the file speaks of its whole frames
        (y, x), (more_y, more_x) = _turned(given_pixel, data), coarser(raw, data, shape, field == "far")
        given_pixel = (y * more_y, x * more_x)
    return Geometry(
        shape=shape,
        wavelength_m=_wavelength_m(raw, data)[0],
        distance_m=known("distance_m", raw, data)[0],
        detector_pixel_m=pixel,
        focus_to_sample_m=known("focus_to_sample_m", raw, data)[0],
        given_pixel_m=None if given_pixel is None else pair(given_pixel),
        field=field,
        convergence_rad=known("convergence_rad", raw, data)[0],
        defocus_m=known("defocus_m", raw, data)[0],
    )


def _turned(pixel: Any, data: Data) -> tuple[float, float]:
    """A pixel of the file's frames as (y, x) of the turned ones."""
    y, x = pair(pixel)
    return (x, y) if data.flip.startswith("t") else (y, x)


def _wavelength_m(raw: Raw, data: Data) -> tuple[float | None, Origin]:
    """The user's wavelength, energy or voltage, before the file's."""
    layers: tuple[tuple[dict[str, Any], Origin], ...] = (
        ({name: getattr(data, name) for name in _WAVELENGTHS}, "user"),
        (dict(raw.found), "file"),
    )
    for values, origin in layers:
        if values.get("wavelength_m") is not None:
            return values["wavelength_m"], origin
        if values.get("energy_eV") is not None:
            return wavelength_of_photon_m(values["energy_eV"]), origin
        if values.get("kV") is not None:
            return wavelength_of_electron_m(values["kV"]), origin
    return None, "default"


def values(raw: Raw, data: Data, geometry: Geometry) -> Iterator[Value]:
    """What is known of the optics, thing by thing."""
    field, origin = field_of(raw, data)
    doubt = "for a near-field scan give data.field or data.focus_to_sample_m"
    doubtful = field == "far" and origin == "guessed" and not geometry.of_electrons
    yield Value("field", f"{field} field", origin, doubt if doubtful else "")
    wanted = field == "near" or not geometry.calibrated
    yield _wavelength_value(raw, data, wanted)
    yield _length("distance", "distance_m", raw, data, "give data.distance_m" if wanted else "")
    yield _length("detector pixel", "detector_pixel_m", raw, data, "give data.detector_pixel_m" if wanted else "")
    if field == "near":
        doubt = "a parallel beam is assumed; for a cone beam give data.focus_to_sample_m"
        yield _length("focus to sample", "focus_to_sample_m", raw, data, doubt)
    for name, key, unit in (("convergence", "convergence_rad", "rad"), ("defocus", "defocus_m", "m")):
        value, origin = known(key, raw, data)
        if value is not None:
            yield Value(name, format_quantity(value, unit), origin)
    yield _pixel(raw, data, geometry)


def _wavelength_value(raw: Raw, data: Data, wanted: bool) -> Value:
    wavelength_m, origin = _wavelength_m(raw, data)
    if wavelength_m is None:
        doubt = "give data.energy_eV, or data.kV for electrons" if wanted else ""
        return Value("wavelength", "not known", "default", doubt)
    kind = "electrons of " if wavelength_m < LONGEST_OF_ELECTRONS_M else ""
    text = f"{format_quantity(wavelength_m, 'm')} ({kind}{format_quantity(energy_of_eV(wavelength_m), 'eV')})"
    return Value("wavelength", text, origin, raw.doubts.get("wavelength_m", "") if origin == "file" else "")


def _length(name: str, key: str, raw: Raw, data: Data, doubt: str) -> Value:
    value, origin = known(key, raw, data)
    if value is None:
        return Value(name, "not known", "default", doubt)
    return Value(name, _pair_text(pair(value)), origin, raw.doubts.get(key, ""))


def _pixel(raw: Raw, data: Data, geometry: Geometry) -> Value:
    if not geometry.calibrated:
        doubt = "lengths are in pixels; energy, distance and detector pixel, or data.pixel_m, would give metres"
        return Value("pixel at the sample", "not known", "default", doubt)
    given, origin = known("pixel_m", raw, data)
    text = _pair_text(geometry.pixel_m)
    if given is not None:
        return Value("pixel at the sample", text, origin)
    if geometry.magnification != 1:
        effective = format_quantity(geometry.effective_distance_m or 0, "m")
        text += f" (magnification {geometry.magnification:.4g}, effective distance {effective})"
    sources = {known(key, raw, data)[1] for key in ("distance_m", "detector_pixel_m", "focus_to_sample_m")}
    return Value("pixel at the sample", text, "user" if "user" in sources else "file")


def _pair_text(values_m: tuple[float, float]) -> str:
    y, x = (format_quantity(value, "m") for value in values_m)
    return y if y == x else f"{y} × {x}"
