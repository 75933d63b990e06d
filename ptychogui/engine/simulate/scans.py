"""Scans: where the probe stands, (N, 2) as (y, x) in pixels around zero."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Array = NDArray[np.float64]


def fermat_spiral(frames: int, step_px: float) -> Array:
    """A Fermat spiral with one point for each `step_px`² of area."""
    k = np.arange(frames) + 0.5
    radius, angle = step_px * np.sqrt(k / np.pi), k * np.pi * (3 - np.sqrt(5))
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


def raster(shape: tuple[int, int], step_px: tuple[float, float], jitter: float, rng: Generator) -> Array:
    """Rows and columns; `jitter` (part of a step, standard deviation) breaks the regularity that makes ghosts."""
    rows, columns = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in shape), indexing="ij")
    grid = np.stack([rows.ravel(), columns.ravel()], axis=1)
    result: Array = (grid + jitter * rng.normal(size=grid.shape)) * np.asarray(step_px)
    return result
