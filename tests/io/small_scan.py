"""A small far-field scan: not square, off-centre, not symmetric, whole counts; and where the real data lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROWS, COLUMNS, NY, NX = 4, 5, 24, 32
COUNT = ROWS * COLUMNS

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def far_field_frames(seed: int = 3) -> NDArray[np.uint16]:
    """Counts (20, 24, 32) with zero frequency in the centre and a bright spot beside it."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((NY, NX))
    disc = 400 * np.exp(-(((y - NY // 2) / 3.0) ** 2 + ((x - NX // 2) / 4.0) ** 2))
    peak = 60 * np.exp(-(((y - NY // 2 - 6) / 1.5) ** 2 + ((x - NX // 2 - 7) / 1.5) ** 2))
    return rng.poisson((disc + peak + 2)[None] * rng.uniform(0.8, 1.2, (COUNT, 1, 1))).astype(np.uint16)
