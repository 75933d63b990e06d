"""From numbers to colours by lookup tables, fast enough for a live picture."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.types import Complex

Pixels = NDArray[np.uint32]
"""Colours (Y, X) as 0xAARRGGBB."""

MAPS = ("grey", "viridis", "cividis", "inferno", "magma", "diverging", "cyclic", "cyclic safe")
"""For real values; cividis, diverging and 'cyclic safe' can be told apart by the colour-blind."""
HUES = ("hues", "cyclic")
"""For complex values: what goes round with the phase."""
_FILES = {"cyclic": "CET-C2", "cyclic safe": "CET-CBC1", "diverging": "CET-CBD1"}
_LEVELS = 256
_HUES = 256
_SHADES = 128


@cache
def table(name: str) -> Pixels:
    """The 256 colours of a colour map."""
    if name == "grey":
        ramp = np.arange(_LEVELS, dtype=np.uint32)
        return ramp * np.uint32(0x010101) | np.uint32(0xFF000000)
    import pyqtgraph

    found = pyqtgraph.colormap.get(_FILES.get(name, name))
    return _packed(found.getLookupTable(0.0, 1.0, _LEVELS)[:, :3] / 255)


@cache
def _wheel(name: str) -> Pixels:
    """Hue by phase and brightness by amplitude, (hues × shades) flat; amplitude rises to full colour."""
    if name == "hues":
        phase = np.arange(_HUES) * (2 * np.pi / _HUES) - np.pi
        rgb = 0.55 + 0.45 * np.cos(phase[:, None] - np.array([0.0, 2 * np.pi / 3, 4 * np.pi / 3]))
    else:
        colours = table(name)
        rgb = np.stack([colours >> shift & 255 for shift in (16, 8, 0)], -1) / 255
    shade = np.linspace(0, 1, _SHADES)
    return _packed((rgb[:, None, :] * shade[None, :, None]).reshape(-1, 3))


def _packed(rgb: NDArray[Any]) -> Pixels:
    whole = np.clip(np.rint(rgb * 255), 0, 255).astype(np.uint32)
    packed: Pixels = np.uint32(0xFF000000) | whole[:, 0] << 16 | whole[:, 1] << 8 | whole[:, 2]
    return packed


def mapped(values: NDArray[Any], low: float, high: float, name: str) -> Pixels:
    """Colours of real values between `low` and `high`; what is not finite takes the lowest."""
    scaled = values.astype(np.float32)
    scaled -= np.float32(low)
    scaled *= np.float32((_LEVELS - 1) / max(high - low, 1e-30))
    return table(name).take(_index(scaled, _LEVELS - 1))


def hue_and_brightness(values: Complex, peak: float, name: str = "hues") -> Pixels:
    """Colours of complex values: hue is the phase, brightness the amplitude up to `peak`; `name` is one of `HUES`."""
    shade = np.abs(values).astype(np.float32, copy=False)
    shade *= np.float32((_SHADES - 1) / max(peak, 1e-30))
    hue = np.arctan2(values.imag, values.real)
    hue += np.float32(np.pi)
    hue *= np.float32((_HUES - 1) / (2 * np.pi))
    index = _index(hue, _HUES - 1)
    index *= _SHADES
    index += _index(shade, _SHADES - 1)
    return _wheel(name).take(index)


def _index(scaled: NDArray[np.float32], top: int) -> NDArray[np.int32]:
    np.fmax(scaled, np.float32(0), out=scaled)  # of 0 and what is no number, fmax takes 0
    np.fmin(scaled, np.float32(top), out=scaled)
    return scaled.astype(np.int32)
