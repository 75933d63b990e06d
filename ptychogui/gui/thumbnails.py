"""Small pictures for the tree: the map of total counts of a scan, the object's phase of a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtGui import QIcon, QImage, QPixmap

from ptychogui.gui.preview import Preview
from ptychogui.types import Complex, Positions, Real, Result

SIDE_PX = 96


def counts_map(positions_m: Positions, preview: Preview) -> QIcon:
    """The total counts of the frames where they were taken."""
    known = np.isfinite(preview.total_counts)
    if not known.any():
        return QIcon()
    bins = int(np.clip(np.sqrt(known.sum()), 1, SIDE_PX))
    y, x = positions_m[known].T
    sums, *_ = np.histogram2d(y, x, bins, weights=preview.total_counts[known])
    number, *_ = np.histogram2d(y, x, bins)
    mean = sums / np.maximum(number, 1)
    return _icon(np.where(number > 0, mean, np.median(mean[number > 0])))


def phase(obj: Complex) -> QIcon:
    """The phase of an object (Y, X), every few pixels of it."""
    step = max(1, max(obj.shape) // SIDE_PX)
    small = np.nan_to_num(obj[::step, ::step])
    return _icon(np.angle(small * np.conj(small.mean())))


def result(found: Result) -> QIcon:
    """The phase of a result's object where light fell on it."""
    step = max(1, max(found.obj.slices.shape[1:]) // SIDE_PX)
    lit = found.illumination
    small = replace(found.obj, slices=found.obj.slices[:, ::step, ::step])
    shown = replace(found, obj=small, illumination=None if lit is None else lit[::step, ::step])
    return phase(shown.lit.prod(0))


def pattern(counts: Real) -> QIcon:
    """A diffraction pattern (y, x), as the logarithm of its counts."""
    return _icon(np.log1p(counts))


def _icon(image: NDArray[np.floating]) -> QIcon:
    low, high = np.nanpercentile(image, (2, 98))
    if high - low < 1e-9 * max(abs(high), 1.0):  # what is flat is grey, not black
        low, high = low - 1.0, low + 1.0
    grey: NDArray[np.uint8] = (np.clip((image - low) / max(high - low, 1e-30), 0, 1) * 255).astype(np.uint8)
    side = max(grey.shape)
    zoom = max(1, SIDE_PX // side)
    square = np.zeros((side * zoom, side * zoom), np.uint8)
    big = grey.repeat(zoom, 0).repeat(zoom, 1)
    top, left = (side * zoom - big.shape[0]) // 2, (side * zoom - big.shape[1]) // 2
    square[top : top + big.shape[0], left : left + big.shape[1]] = big
    picture = QImage(square.tobytes(), side * zoom, side * zoom, side * zoom, QImage.Format.Format_Grayscale8)
    pixmap = QPixmap.fromImage(picture.copy())
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)  # else Qt tints it
    return icon
