"""A CXI file that is written frame by frame, and that other programs may read meanwhile (HDF5 SWMR)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from ptychogui.geometry import Geometry
from ptychogui.io import cxi_writer
from ptychogui.io.cxi import OURS
from ptychogui.types import Complex, Mask, Positions

KEYS = f"{cxi_writer.DETECTOR}/unique_id"
"""The dataset that is written last: the number of each frame in the scan plus one, 0 where it is not whole yet."""
EXPECTED = f"{OURS}/expected_frames"
_ROWS = 256


class GrowingCXI:
    """Frames of `shape` (ny, nx) in the order in which they come; what is known of the optics is written at once."""

    def __init__(
        self,
        path: Path,
        shape: tuple[int, int],
        dtype: np.dtype[Any],
        geometry: Geometry,
        mask: Mask,
        probe: Complex | None = None,
        expected: int | None = None,
    ) -> None:
        self._file = file = h5py.File(path, "w", libver="latest")
        try:
            cxi_writer.write_outline(file, geometry, mask, probe)
            file["entry_1/start_time"] = datetime.now(UTC).isoformat()
            if expected is not None:
                file[EXPECTED] = expected
            self._frames = file.create_dataset(
                cxi_writer.FRAMES, (0, *shape), dtype, maxshape=(None, *shape), chunks=(1, *shape)
            )
            self._translation = file.create_dataset(
                cxi_writer.TRANSLATION, (0, 3), np.float64, maxshape=(None, 3), chunks=(_ROWS, 3), fillvalue=np.nan
            )
            cxi_writer.link_positions(file)
            self._keys = file.create_dataset(KEYS, (0,), np.int64, maxshape=(None,), chunks=(_ROWS,))
            file.swmr_mode = True
        except BaseException:
            file.close()
            raise

    def append(self, numbers: NDArray[np.intp], frames: NDArray[Any], positions_m: Positions) -> None:
        """Write frames (b, ny, nx), their numbers (b,) in the scan and positions (b, 2), NaN where one is not known."""
        first = self._frames.shape[0]
        whole = first + len(numbers)
        values = (frames, cxi_writer.translation(positions_m), numbers + 1)  # who sees a key finds the rest there
        for dataset, rows in zip((self._frames, self._translation, self._keys), values):
            dataset.resize(whole, axis=0)
            dataset[first:whole] = rows
            dataset.flush()

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
