"""Photographs as samples and probes: from files, or made by formula with the detail of a photograph."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from ptychogui.engine.simulate.objects import Transmission
from ptychogui.params import InputError

Array = NDArray[np.float64]
Range = tuple[float, float]

_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP")
_BROKEN = (OSError, EOFError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises of a file that is missing, damaged, too large or no picture."""
_LEAVES = 900
_TEXTURE = 0.06


def greys(images: tuple[str, str] | None, shape: tuple[int, int], rng: Generator) -> tuple[Array, Array]:
    """Two grey pictures (ny, nx) from 0 to 1: the photographs of these paths, or made by formula without any.

    Raises `InputError` where a file is no picture that can be read.
    """
    if images is None:
        return leaves(shape, rng), leaves(shape, rng)
    return photograph(images[0], shape), photograph(images[1], shape)


def photograph(path: str, shape: tuple[int, int] | None = None) -> Array:
    """A photograph in grey, its darkest 0, its lightest 1.

    With a shape, the largest part that has its form, averaged to (ny, nx) pixels, or with values between its own where
    these are more. Raises `InputError` where the file
    is no picture that can be read.
    """
    try:
        with Image.open(path, formats=_FORMATS) as opened:
            # greys of more than eight bits are kept, and so are those between the greys of the file when averaged
            picture = (opened if opened.mode[0] in "IF" else opened.convert("L")).convert("F")
    except _BROKEN as error:
        raise InputError(
            f"{path} is no picture that can be read: give PNG, JPEG, TIFF or BMP of usual size."
        ) from error
    if shape is not None:
        width, height = picture.size
        scale = min(height / shape[0], width / shape[1])
        y, x = (height - scale * shape[0]) / 2, (width - scale * shape[1]) / 2
        box = (x, y, width - x, height - y)
        between = Image.Resampling.BOX if scale >= 1 else Image.Resampling.BILINEAR
        picture = picture.resize((shape[1], shape[0]), between, box=box)
    values = np.asarray(picture, np.float64)
    if not np.isfinite(values).all():
        raise InputError(f"{path} has pixels that are no numbers: give a picture without them.")
    return _stretched(values)


def leaves(shape: tuple[int, int], rng: Generator) -> Array:
    """Dead leaves with a texture, (ny, nx) from 0 to 1: edges at all sizes, and a spectrum like that of photographs.

    Lee, Mumford & Huang, Int. J. Comput. Vis. 41, 35 (2001), show that discs which hide each other, their radii
    distributed as 1/r³, have the statistics of natural images.
    """
    ny, nx = shape
    grey = np.full(shape, 0.5)
    smallest, largest = max(shape) / 64, max(shape) / 5
    for _ in range(_LEAVES):
        radius = 1 / np.sqrt(rng.uniform(1 / largest**2, 1 / smallest**2))
        cy, cx, value = rng.uniform(0, ny), rng.uniform(0, nx), rng.uniform()
        y0, y1 = max(int(cy - radius) - 1, 0), min(int(cy + radius) + 3, ny)
        x0, x1 = max(int(cx - radius) - 1, 0), min(int(cx + radius) + 3, nx)
        away = np.hypot(np.arange(y0, y1)[:, None] - cy, np.arange(x0, x1)[None, :] - cx)
        cover = np.clip(radius - away + 0.5, 0, 1)
        grey[y0:y1, x0:x1] += cover * (value - grey[y0:y1, x0:x1])
    return _stretched(grey + _TEXTURE * _cloud(shape, rng))


def transmission(values: tuple[Array, Array], amplitude: Range, phase_rad: Range) -> NDArray[np.complex128]:
    """Two pictures from 0 to 1 as one complex transmission, the first its amplitude, the second its phase."""
    size, angle = (low + (high - low) * grey for grey, (low, high) in zip(values, (amplitude, phase_rad)))
    result: NDArray[np.complex128] = size * np.exp(1j * angle)
    return result


def on_canvas(picture: NDArray[np.complex128], outside: float) -> Transmission:
    """A transmission (Y, X) with its pixel n // 2 in the middle of the scan, and what lies around it."""

    ny, nx = picture.shape

    def obj(y: Array, x: Array) -> NDArray[np.complex128]:
        rows, columns = np.rint(y).astype(int) + ny // 2, np.rint(x).astype(int) + nx // 2
        seen = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
        return np.where(seen, picture[rows.clip(0, ny - 1), columns.clip(0, nx - 1)], outside)

    return obj


def _cloud(shape: tuple[int, int], rng: Generator) -> Array:
    """A random field (ny, nx) of zero mean and unit variance whose amplitudes fall as 1/f, as those of photographs."""
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None, :])
    frequency[0, 0] = np.inf
    field = np.real(np.fft.ifft2(np.fft.fft2(rng.normal(size=shape)) / frequency))
    result: Array = field / field.std()
    return result


def _stretched(values: Array) -> Array:
    """Brought to the range from 0 to 1; a picture without contrast is 0."""
    result: Array = (values - values.min()) / max(float(np.ptp(values)), 1e-12)
    return result
