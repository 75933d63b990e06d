"""Exporting a result for other programs and for people: TIFF, PNG with a scale bar, positions and curves as CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ptychogui.io import correlation, files
from ptychogui.io.picture import inside_scan, percentile_range, scale_bar_m, scanned_area, without_ramp
from ptychogui.types import Complex, Mask, Real, Result

_LEAST_WIDTH_PX = 512


def export(result: Result, folder: Path | str) -> tuple[Path, ...]:
    """Write amplitude and phase as float32 TIFF and as PNG, the probe as PNG, the positions as CSV; returns the files.

    The phase is without its ramp; slices are numbered where there are several. A ring correlation is written as PNG and
    CSV too. The folder is made where it is missing. Raises `InputError` where it cannot be written.
    """
    folder = Path(folder)
    files.check_folder(folder)
    area = scanned_area(result.obj, result.scan, (result.probe.modes.shape[-2], result.probe.modes.shape[-1]))
    inside = inside_scan(result.obj, result.scan)
    written: list[Path] = []
    for number, (image, lit) in enumerate(zip(result.obj.slices, result.lit)):
        end = f"_{number}" if len(result.obj.slices) > 1 else ""
        for name, part in (("amplitude", np.abs), ("phase", np.angle)):
            path = folder / f"object_{name}{end}"
            written.append(_tiff(part(without_ramp(image, inside)), result, path))
            written.append(_png(part(without_ramp(lit, inside))[area], inside[area], result, path))
    written += [_probe(result, folder / "probe.png"), _positions(result, folder / "positions.csv")]
    if result.correlation is not None:
        calibrated = result.geometry.calibrated
        written.append(correlation.table(result.correlation, folder / "frc.csv"))
        written.append(correlation.picture(result.correlation, calibrated, folder / "frc.png"))
    return tuple(written)


def _tiff(values: Real, result: Result, path: Path) -> Path:
    """The whole object as ImageJ reads it, with its pixel in µm where that is known."""
    path = path.with_suffix(".tif")
    known = result.geometry.calibrated
    y, x = (pixel * 1e6 if known else 1.0 for pixel in result.obj.pixel_m)
    with files.replacing(path) as temporary:
        tifffile.imwrite(
            temporary,
            values.astype(np.float32),
            imagej=True,
            resolution=(1 / x, 1 / y),
            metadata={"unit": "um" if known else "pixel", "axes": "YX"},
        )
    return path


def _png(values: Real, inside: Mask, result: Result, path: Path) -> Path:
    """The scanned area in grey, over the range of most values between the positions."""
    low, high = percentile_range(values[inside] if inside.any() else values)
    grey = (np.clip((np.nan_to_num(values) - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    return _saved(np.repeat(grey[..., None], 3, axis=-1), result, path.with_suffix(".png"))


def _probe(result: Result, path: Path) -> Path:
    """All modes side by side, phase as hue and amplitude as brightness."""
    modes = np.concatenate(list(result.probe.modes), axis=1)
    return _saved(hue_and_brightness(modes), result, path)


def hue_and_brightness(image: Complex) -> NDArray[np.uint8]:
    """A complex image (Y, X) as colours (Y, X, 3): the phase as hue, the amplitude as brightness."""
    amplitude = np.abs(image)
    brightness = np.clip(amplitude / max(float(np.percentile(amplitude, 99.8)), 1e-30), 0, 1)
    shift = np.array([0, 2, 4]) * np.pi / 3
    hue = 0.5 + 0.5 * np.cos(np.angle(image)[..., None] - shift)
    colours: NDArray[np.uint8] = (255 * brightness[..., None] * hue).astype(np.uint8)
    return colours


def _saved(colours: NDArray[np.uint8], result: Result, path: Path) -> Path:
    """Magnified to a size that can be looked at, pixels square on the sample, with a scale bar."""
    dy, dx = result.obj.pixel_m
    height, width = colours.shape[0] * dy, colours.shape[1] * dx
    factor = max(1, -(-_LEAST_WIDTH_PX // max(colours.shape[:2])))
    px_per_m = factor / min(dy, dx)
    size = max(round(width * px_per_m), 1), max(round(height * px_per_m), 1)
    image = Image.fromarray(colours).resize(size, Image.Resampling.NEAREST)
    if result.geometry.calibrated:
        length, text = scale_bar_m(width)
    else:
        length = scale_bar_m(width)[0]
        text = f"{length:g} px"
    _draw_bar(image, length * px_per_m, text)
    with files.replacing(path) as temporary:
        image.save(temporary, format="PNG")
    return path


def _draw_bar(image: Image.Image, length_px: float, text: str) -> None:
    draw, (width, height) = ImageDraw.Draw(image), image.size
    margin, thick = max(width // 40, 4), max(height // 120, 2)
    font = ImageFont.load_default(size=max(height // 24, 10))
    left, bottom = margin, height - margin
    bar = (left, bottom - thick, left + round(length_px), bottom)
    draw.rectangle((bar[0] - 1, bar[1] - 1, bar[2] + 1, bar[3] + 1), fill="black")
    draw.rectangle(bar, fill="white")
    plain = text.replace("µ", "u")  # the font that comes with Pillow has no µ
    draw.text((left, bar[1] - 3), plain, font=font, fill="white", stroke_fill="black", stroke_width=2, anchor="lb")


def _positions(result: Result, path: Path) -> Path:
    """Refined and nominal positions in metres, one line for each frame."""
    table = np.column_stack([np.arange(len(result.scan)), result.scan.positions_m, result.nominal_m])
    with files.replacing(path) as temporary:
        np.savetxt(
            temporary,
            table,
            delimiter=",",
            fmt=["%d", "%.9e", "%.9e", "%.9e", "%.9e"],
            header="index,y_m,x_m,nominal_y_m,nominal_x_m",
            comments="",
        )
    return path
