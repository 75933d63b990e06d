"""A scan in a buffer as the dataset that an engine takes in while it grows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ptychogui.io import reading, scan
from ptychogui.io.data import Data
from ptychogui.io.raw import Listing, pair
from ptychogui.io.text import read_positions
from ptychogui.live.buffer import Buffer
from ptychogui.live.events import Numbers
from ptychogui.params import InputError
from ptychogui.types import Complex, Dataset, Positions

FEWEST = 16
"""Frames from which on a picture can begin."""


class LiveFeed:
    """What has come of a scan, prepared as `data` says; `probe` (M, ny, nx) is that of the scan before, if any.

    `address` is that of the source; where the frames are `saved`, the dataset is said to be that file's.

    What the mask is, where the beam lies and so on is decided once, on the first frames. Positions that `data` gives,
    by a file or by a raster, are the planned ones: they come before what the source says. Raises `InputError` where
    they cannot be read.
    """

    def __init__(
        self, buffer: Buffer, data: Data, address: str, probe: Complex | None = None, saved: Path | None = None
    ) -> None:
        if data.dark_frames or data.flat_frames or data.normalisation == "monitor":
            raise InputError(
                "While a scan is running, dark and flat frames are not known by number, and neither is the monitor: "
                "give data.dark and data.flat as files, and data.normalisation=none or sum."
            )
        self.buffer, self._address, self.probe = buffer, address, probe
        self._left_out = np.array(data.exclude, np.intp)
        self._latest: Dataset | None = None
        planned = _planned(data)
        if planned is not None:
            buffer.plan(planned)
        known = {"positions": None, "scan_shape": None, "scan_step_m": None, "exclude": ()}
        self._data = data.model_copy(update=known | {"path": str(saved.absolute()) if saved is not None else ""})

    @property
    def arrived(self) -> Numbers:
        """The numbers of the frames that are used, in the order in which they became complete."""
        numbers = self.buffer.arrived
        return numbers[~np.isin(numbers, self._left_out)] if len(self._left_out) else numbers

    @property
    def ended(self) -> bool:
        """Whether no more will come."""
        return self.buffer.ended

    @property
    def ready(self) -> bool:
        """Whether enough has come to begin; when the scan is over, anything is enough."""
        count = len(self.arrived)
        least = min(FEWEST, self.buffer.begin.frames or FEWEST)
        return count >= least or (self.ended and count > 0)

    @property
    def planned_m(self) -> Positions | None:
        """Where all frames are going to be, (N, 2), as far as that is known."""
        known = self.buffer.planned
        if self._latest is None or not len(known):
            return None
        raw, optics = self.buffer.raw(known), self._latest.geometry
        return scan.find(raw, None, self._data, optics, np.arange(len(known)), need_scan=False).scan.positions_m

    def first(self) -> Dataset:
        """The scan as it is now. Raises `InputError` where it cannot be prepared."""
        every = self.buffer.raw(self.buffer.planned)
        if every.positions is not None and self._data.positions_unit is None:
            unit = scan.unit_of(every, self._data)
            self._data = self._data.model_copy(update={"positions_unit": unit})
        raw = self.buffer.raw(self.arrived)
        dataset = reading.prepared("live", self._data.path or self._address, raw, self._data)
        if self.probe is not None and self.probe.shape[1:] == dataset.geometry.shape:
            dataset = replace(dataset, probe=self.probe)
        self._latest = dataset
        return dataset

    def more(self, known: int) -> Dataset | None:
        """The scan so far, where it has more than `known` frames; those that it had before stay as they were."""
        numbers = self.arrived
        if len(numbers) <= known or self._latest is None:
            return None
        self._latest = reading.longer(self._latest, self.buffer.raw(numbers), self._data)
        return self._latest


def _planned(data: Data) -> Listing | None:
    """The positions that `data` gives for all frames, by their numbers."""
    if data.positions is not None:
        return read_positions(Path(data.positions))
    if data.scan_step_m is None:
        return None
    if data.scan_shape is None:
        raise InputError("The step of the scan is given but not its rows and columns: give data.scan_shape too.")
    grid = np.stack(np.meshgrid(*(np.arange(n, dtype=np.float64) for n in data.scan_shape), indexing="ij"), axis=-1)
    return Listing(grid.reshape(-1, 2) * pair(data.scan_step_m), "m", "raster")
