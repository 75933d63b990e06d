"""A Fourier ring correlation as a table and as a picture of its curve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ptychogui.io import files
from ptychogui.io.picture import scale_bar_m
from ptychogui.params import format_quantity
from ptychogui.types import Correlation

_SIZE = (1200, 800)
_LEFT, _TOP, _RIGHT, _BOTTOM = 100, 100, 1160, 690
_LOW, _HIGH = -0.2, 1.05
_GAP = 36
_CURVES = (("frc", "correlation", "#1f77b4"), ("half_bit", "half-bit", "#d62728"), ("one_seventh", "1/7", "#2ca02c"))


def table(curves: Correlation, path: Path) -> Path:
    """Write one line for each ring: frequency (1/m), correlation and both criteria."""
    names = list(vars(curves))
    with files.replacing(path) as temporary:
        columns = np.column_stack([getattr(curves, name) for name in names])
        np.savetxt(temporary, columns, delimiter=",", fmt="%.9e", header=",".join(names), comments="")
    return path


def picture(curves: Correlation, calibrated: bool, path: Path) -> Path:
    """Draw the correlation and both criteria over the spatial frequency, with a mark at each resolution, as PNG."""
    image = Image.new("RGB", _SIZE, "white")
    draw = ImageDraw.Draw(image)
    last = float(curves.spatial_frequency_per_m[-1])
    _axes(draw, last, "1/um" if calibrated else "1/px", 1e-6 if calibrated else 1.0)
    x = _LEFT + curves.spatial_frequency_per_m / last * (_RIGHT - _LEFT)
    start = float(_LEFT)
    for name, label, colour in _CURVES:
        values: NDArray[np.float64] = getattr(curves, name)
        draw.line([(float(a), _y(float(b))) for a, b in zip(x, values)], fill=colour, width=4, joint="curve")
        if name != "frc":
            label += _mark(draw, curves, values, calibrated, last, colour)
        draw.text((start, _TOP - 14), label, font=_font(26), fill=colour, anchor="ls")
        start += draw.textlength(label, font=_font(26)) + _GAP
    with files.replacing(path) as temporary:
        image.save(temporary, format="PNG")
    return path


def _mark(
    draw: ImageDraw.ImageDraw,
    curves: Correlation,
    values: NDArray[np.float64],
    calibrated: bool,
    last: float,
    colour: str,
) -> str:
    """A line where the curve falls below a criterion; returns the resolution there as a text."""
    length = curves.resolution_m(values)
    text = format_quantity(float(f"{length:.3g}"), "m").replace("µ", "u") if calibrated else f"{length:.3g} px"
    if curves.reaches_pixel(values):
        return f": not crossed, {text} or better"
    x = _LEFT + 0.5 / length / last * (_RIGHT - _LEFT)
    draw.line([(x, _y(_LOW)), (x, _y(1.0))], fill=colour, width=1)
    return f": {text}"


def _axes(draw: ImageDraw.ImageDraw, last: float, unit: str, factor: float) -> None:
    """A frame with ticks at round numbers; the frequency in `unit`, which is 1/m times `factor`."""
    draw.rectangle((_LEFT, _TOP, _RIGHT, _BOTTOM), outline="black", width=2)
    for value in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        draw.line([(_LEFT, _y(value)), (_RIGHT, _y(value))], fill="#dddddd", width=1)
        draw.text((_LEFT - 14, _y(value)), f"{value:.1f}", font=_font(26), fill="black", anchor="rm")
    step = scale_bar_m(last * factor)[0]
    for tick in np.arange(0, last * factor * 1.0001, step):
        x = _LEFT + float(tick) / (last * factor) * (_RIGHT - _LEFT)
        draw.line([(x, _BOTTOM), (x, _BOTTOM + 10)], fill="black", width=2)
        draw.text((x, _BOTTOM + 16), f"{tick:.4g}", font=_font(26), fill="black", anchor="mt")
    middle = (_LEFT + _RIGHT) // 2
    draw.text((middle, _BOTTOM + 60), f"spatial frequency ({unit})", font=_font(28), fill="black", anchor="mt")
    draw.text((_LEFT, _TOP - 56), "Fourier ring correlation", font=_font(28), fill="black", anchor="ls")


def _y(value: float) -> float:
    return _BOTTOM - (max(value, _LOW) - _LOW) / (_HIGH - _LOW) * (_BOTTOM - _TOP)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)
