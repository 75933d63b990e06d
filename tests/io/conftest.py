"""The small scan as fixtures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_scan import COLUMNS, ROWS, far_field_frames


@pytest.fixture
def frames() -> NDArray[np.uint16]:
    return far_field_frames()


@pytest.fixture
def scan_px() -> NDArray[np.float64]:
    """Positions (20, 2) in pixels, step 3 in y and 4 in x, a little off the raster."""
    grid = np.stack(np.meshgrid(np.arange(ROWS) * 3.0, np.arange(COLUMNS) * 4.0, indexing="ij"), -1).reshape(-1, 2)
    return grid + np.random.default_rng(5).normal(0, 0.3, grid.shape)


@pytest.fixture
def npz(tmp_path: Path, frames: NDArray[Any], scan_px: NDArray[Any]) -> Callable[..., Path]:
    """Writes an NPZ of the scan; keywords replace arrays, None leaves one out."""

    def write(name: str = "scan.npz", **arrays: Any) -> Path:
        content = {"data": frames, "scan": scan_px} | arrays
        path = tmp_path / name
        with path.open("wb") as file:
            np.savez(file, **{key: value for key, value in content.items() if value is not None})
        return path

    return write
