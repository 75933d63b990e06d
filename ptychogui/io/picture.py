"""What every picture of a result needs: where it was scanned, without its phase ramp, its range, its scale bar."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.params import format_quantity
from ptychogui.types import Complex, Mask, Object, Scan

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


def inside_scan(obj: Object, scan: Scan) -> Mask:
    """Where (Y, X) the object lies between the positions, inside their convex hull; their box if they lie on a line."""
    from scipy.spatial import ConvexHull, QhullError

    y, x = (origin + pixel * np.arange(n) for origin, pixel, n in zip(obj.origin_m, obj.pixel_m, obj.slices.shape[1:]))
    low, high = scan.bounds_m
    inside: Mask = ((y >= low[0]) & (y <= high[0]))[:, None] & ((x >= low[1]) & (x <= high[1]))
    try:
        edges = ConvexHull((scan.positions_m - low) / max(*(high - low), 1e-300)).equations
    except (QhullError, ValueError):
        return inside
    size = max(high - low)
    for normal_y, normal_x, offset in edges:
        inside &= (normal_y * (y - low[0]) / size)[:, None] + normal_x * (x - low[1]) / size + offset <= 1e-9
    return inside


def without_ramp(image: Complex, inside: Mask | None = None) -> Complex:
    """The image (…, Y, X) without its mean phase gradient and mean phase, which no measurement can tell.

    The means are those over `inside` (Y, X), or over the whole image.
    """
    part = image if inside is None else np.where(inside, image, np.complex64(0))
    step = max(1, math.isqrt(image.shape[-2] * image.shape[-1] // _SAMPLE))
    y = _mean_phase(part[..., :-1:step, ::step], part[..., 1::step, ::step])
    x = _mean_phase(part[..., ::step, :-1:step], part[..., ::step, 1::step])
    flat_y = np.exp(-1j * y * np.arange(image.shape[-2])).astype(np.complex64)[:, None]
    flat_x = np.exp(-1j * x * np.arange(image.shape[-1])).astype(np.complex64)
    flat: Complex = image * flat_y
    flat *= flat_x
    level = flat if inside is None else np.where(inside, flat, np.complex64(0))
    mean = complex(np.nansum(level[..., ::step, ::step]))
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
