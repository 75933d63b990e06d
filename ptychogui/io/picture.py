"""What every picture of a result needs: where it was scanned, without its phase ramp, its range, its scale bar."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.params import format_quantity
from ptychogui.types import Complex, Object, Scan

_SAMPLE = 1 << 16
"""Values that are enough to know a percentile or a ramp."""


def scanned_area(obj: Object, scan: Scan, probe_shape: tuple[int, int]) -> tuple[slice, slice]:
    """The part (y, x) of the object's canvas that the middle of the probe passed over, and a quarter probe around."""
    pixel, origin = np.asarray(obj.pixel_m), np.asarray(obj.origin_m)
    corners_px = (np.stack(scan.bounds_m) - origin) / pixel
    margin_px = np.asarray(probe_shape) / 4
    shape = np.asarray(obj.slices.shape[-2:])
    low = np.clip(np.floor(np.round(corners_px.min(0) - margin_px, 3)), 0, shape - 1).astype(int)
    high = np.clip(np.ceil(np.round(corners_px.max(0) + margin_px, 3)) + 1, low + 1, shape).astype(int)
    return slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))


def without_ramp(image: Complex, area: tuple[slice, slice] | None = None) -> Complex:
    """The image (…, Y, X) without its mean phase gradient and mean phase, which no measurement can tell.

    The means are those of `area` (y, x), or of the whole image.
    """
    part = image if area is None else image[..., area[0], area[1]]
    step = max(1, math.isqrt(part.shape[-2] * part.shape[-1] // _SAMPLE))
    y = _mean_phase(part[..., :-1:step, ::step], part[..., 1::step, ::step])
    x = _mean_phase(part[..., ::step, :-1:step], part[..., ::step, 1::step])
    flat_y = np.exp(-1j * y * np.arange(image.shape[-2])).astype(np.complex64)[:, None]
    flat_x = np.exp(-1j * x * np.arange(image.shape[-1])).astype(np.complex64)
    flat: Complex = image * flat_y
    flat *= flat_x
    inside = flat if area is None else flat[..., area[0], area[1]]
    mean = complex(np.nansum(inside[..., ::step, ::step]))
    if abs(mean) > 0 and math.isfinite(abs(mean)):
        flat *= np.complex64(abs(mean) / mean)
    return flat


def _mean_phase(first: Complex, second: Complex) -> float:
    """The mean phase by which `second` is ahead of `first`."""
    count = min(first.shape[-2], second.shape[-2]), min(first.shape[-1], second.shape[-1])
    product = np.conj(first[..., : count[0], : count[1]]) * second[..., : count[0], : count[1]]
    return float(np.angle(np.nansum(product)))


def percentile_range(image: NDArray[Any], low: float = 0.5, high: float = 99.5) -> tuple[float, float]:
    """The range of the image's finite values without the outermost half percent; (0, 1) where there are none."""
    values = image.ravel()
    values = values[:: max(1, values.size // _SAMPLE) | 1]
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    bottom, top = (float(v) for v in np.percentile(values, (low, high)))
    return (bottom, top) if top > bottom else (bottom, bottom + max(abs(bottom) * 1e-3, 1e-6))


def scale_bar_m(width_m: float) -> tuple[float, str]:
    """A round length of about a fifth of a picture's width, and its text."""
    if not width_m > 0:
        return 0.0, ""
    decade = 10.0 ** math.floor(math.log10(width_m / 4))
    length_m = max(step * decade for step in (1, 2, 5) if step * decade <= width_m / 4 * 1.0000001)
    return length_m, format_quantity(length_m, "m")
