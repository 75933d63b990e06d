"""What every picture of a result needs: where it was scanned, without its phase ramp, its range, its scale bar."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.params import format_quantity
from ptychogui.types import Complex, Mask, Object, Scan

_SAMPLE = 1 << 16
"""Values that are enough to know a percentile."""
_RAMP_SAMPLE = 1 << 14
"""Values that are enough to know a ramp."""
_LEVEL = 1e-12
"""An edge whose normal leans no further than this lies along a row."""
_WEAK_RAD = 1.2
"""A phase that spreads no wider than this hardly ever goes round."""


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
    down, across = (y - low[0]) / size, (x - low[1]) / size
    left, right = np.full(len(y), -np.inf), np.full(len(y), np.inf)  # a row of a convex area is a single stretch
    for normal_y, normal_x, offset in edges:
        room = 1e-9 - offset - normal_y * down
        if abs(normal_x) < _LEVEL:
            right[room < 0] = -np.inf
        elif normal_x > 0:
            right = np.minimum(right, room / normal_x)
        else:
            left = np.maximum(left, room / normal_x)
    inside &= (across >= left[:, None]) & (across <= right[:, None])
    return inside


def without_ramp(image: Complex, inside: Mask | None = None) -> Complex:
    """The image (…, Y, X) without its mean phase gradient and mean phase, which no measurement can tell.

    The means are those over `inside` (Y, X), or over the whole image.
    """
    step = max(1, math.isqrt(image.shape[-2] * image.shape[-1] // _RAMP_SAMPLE))
    use = np.ones(image.shape[-2:], np.bool_) if inside is None else inside
    every, first, second = slice(None, None, step), slice(None, -1, step), slice(1, None, step)
    slope_y = _mean_phase(image, use, (first, every), (second, every))
    slope_x = _mean_phase(image, use, (every, first), (every, second))
    y, x = np.arange(image.shape[-2]), np.arange(image.shape[-1])
    sample = image[..., every, every] * np.exp(-1j * (slope_y * y[every, None] + slope_x * x[every]))
    more_y, more_x, level = _plane(sample, use[every, every], step)
    ramp_y = np.exp(-1j * ((slope_y + more_y) * y + level)).astype(np.complex64)[:, None]
    ramp_x = np.exp(-1j * (slope_x + more_x) * x).astype(np.complex64)
    flat: Complex = image * ramp_y
    flat *= ramp_x
    return flat


def _plane(image: Complex, use: Mask, step: int) -> tuple[float, float, float]:
    """The plane (slope in y, slope in x, level) through the phase of an image, of which every `step`-th pixel is given.

    Where the phase goes round, only the level is told: no plane runs through it.
    """
    rows, columns = np.nonzero(use & np.isfinite(image).reshape(-1, *use.shape).all(0))
    if not len(rows):
        return 0.0, 0.0, 0.0
    values = image[..., rows, columns].reshape(-1, len(rows)).sum(0)
    mean = complex(values.sum())
    if not abs(mean) > 0:
        return 0.0, 0.0, 0.0
    level = float(np.angle(mean))
    phase = np.angle(values * np.exp(-1j * level))
    if phase.std() > _WEAK_RAD:
        return 0.0, 0.0, level
    at = np.stack([rows * step, columns * step, np.ones(len(rows))])
    slope_y, slope_x, more = np.linalg.lstsq(at @ at.T, at @ phase, rcond=None)[0]
    return float(slope_y), float(slope_x), level + float(more)


def _mean_phase(image: Complex, use: Mask, here: tuple[slice, slice], there: tuple[slice, slice]) -> float:
    """The mean phase by which the pixels `there` are ahead of those `here`."""
    product = np.conj(image[..., *here]) * image[..., *there]
    return float(np.angle(np.nansum(product[..., use[here] & use[there]])))


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
