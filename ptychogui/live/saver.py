"""Frames of a running scan on disk while they come: a CXI file that is whole at every moment."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ptychogui.geometry import wavelength_of_electron_m, wavelength_of_photon_m
from ptychogui.io.cxi import OURS
from ptychogui.io.geometry import energy_of_eV
from ptychogui.live.buffer import Buffer
from ptychogui.live.events import Numbers

_EVERY_S = 0.25
_BLOCK = 32
_PATIENCE_S = 5.0
"""A frame that has waited so long for its position is written without it."""
_EV_IN_JOULE = 1.602176634e-19
_IN_METRES = {"m": 1.0, "mm": 1e-3, "um": 1e-6, "nm": 1e-9, "px": 1.0}
PART = ".part.cxi"


class Saver:
    """Appends what a buffer has to `path`, in a thread of its own, until the scan is over or `stop`.

    Until then the file is called `….part.cxi`; each block is flushed, so that a program that dies loses none of what
    was written. Frames stand in the order in which they became complete; those that never got a position are kept
    apart, in `ptychogui/without_position`. An existing file of that name is never replaced: the new one gets a number.
    """

    def __init__(self, buffer: Buffer, path: Path | str) -> None:
        self.path = _free(Path(path))
        """Where the file is at the end."""
        self.error = ""
        """Why saving has ended, in one sentence, where it failed."""
        self.written = 0
        """Complete frames on disk."""
        self._buffer = buffer
        self._apart: set[int] = set()
        self._waited: tuple[float, set[int]] = (time.monotonic(), set())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="saver")

    @property
    def part(self) -> Path:
        """Where the file is until then."""
        return self.path.with_name(self.path.stem + PART)

    @property
    def running(self) -> bool:
        """Whether it still writes."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin, with all frames that are there already."""
        self._thread.start()

    def stop(self, timeout_s: float | None = None) -> None:
        """Write what has come until now, and end; waits for that at most so long."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with h5py.File(self.part, "x") as file:
                frames = _set_up(file, self._buffer)
                while True:
                    over = self._stop.is_set() or self._buffer.ended  # asked first: what came before it is written
                    self._append(file, frames)
                    self._keep_apart(file, over)
                    if over:
                        break
                    self._stop.wait(_EVERY_S)
            self.part.rename(self.path)
        except OSError as error:
            self.error = (
                f"The frames are not saved to {self.part} any more ({error.strerror or error}): check the folder and "
                "the free space there, and save again."
            )

    def _append(self, file: h5py.File, frames: h5py.Dataset) -> None:
        """Write the frames that have become complete."""
        while len(numbers := self._buffer.arrived[self.written : self.written + _BLOCK]):
            end = self.written + len(numbers)
            y, x = self._buffer.positions(numbers).T * _IN_METRES[self._buffer.positions_unit or "m"]
            if "translation" not in frames.parent:
                _add_translation(file)
            _extend(frames, self._buffer[numbers])
            _extend(file["entry_1/sample_1/geometry_1/translation"], np.stack([x, y, np.zeros_like(x)], axis=1))
            _extend(file[f"{OURS}/frame_number"], numbers)
            file.flush()
            self.written = end

    def _keep_apart(self, file: h5py.File, over: bool) -> None:
        """Write frames without a position, at the end or once they have waited for long."""
        since, waited = self._waited
        waiting = set(self._buffer.waiting.tolist())
        if over and not self.written:  # a scan without positions: there is nothing that they could be mixed with
            self._add_plain(file, waiting)
            return
        if not over and time.monotonic() - since < _PATIENCE_S:
            return
        self._waited = time.monotonic(), waiting
        late = sorted((waiting if over else waiting & waited) - self._apart)
        if not late:
            return
        if (group := file.get(f"{OURS}/without_position")) is None:
            group = file.create_group(f"{OURS}/without_position")
            _growing(group, "data", self._buffer.begin.shape, self._buffer.dtype)
            _growing(group, "frame_number", (), np.dtype(np.int64))
        for first in range(0, len(late), _BLOCK):
            numbers = np.array(late[first : first + _BLOCK])
            _extend(group["data"], self._buffer[numbers])
            _extend(group["frame_number"], numbers)
            file.flush()
        self._apart |= set(late)

    def _add_plain(self, file: h5py.File, numbers: set[int]) -> None:
        chosen: Numbers = np.array(sorted(numbers), np.intp)
        for first in range(0, len(chosen), _BLOCK):
            block = chosen[first : first + _BLOCK]
            _extend(file["entry_1/instrument_1/detector_1/data"], self._buffer[block])
            _extend(file[f"{OURS}/frame_number"], block)
        file.flush()


def _free(path: Path) -> Path:
    """The path, or the same with a number where a file has this name already."""
    tried, number = path, 1
    while tried.exists() or tried.with_name(tried.stem + PART).exists():
        number += 1
        tried = path.with_name(f"{path.stem}_{number}{path.suffix}")
    return tried


def _set_up(file: h5py.File, buffer: Buffer) -> h5py.Dataset:
    """All that does not grow, and the empty stack."""
    begin = buffer.begin
    file["cxi_version"], file["number_of_entries"] = 160, 1
    entry = file.create_group("entry_1")
    detector = entry.create_group("instrument_1/detector_1")
    frames = _growing(detector, "data", begin.shape, buffer.dtype)
    if begin.mask is not None:
        detector["mask"] = (~begin.mask).astype(np.uint32)
    entry["data_1/data"] = h5py.SoftLink("/entry_1/instrument_1/detector_1/data")
    if begin.name:
        entry["title"] = begin.name
    ours = file.create_group(OURS)
    _growing(ours, "frame_number", (), np.dtype(np.int64))
    if buffer.positions_unit == "px":
        ours["positions_unit"] = "px"
    if begin.probe is not None:
        ours["probe"] = begin.probe
    _say(detector, entry, ours, dict(begin.found))
    file.flush()
    return frames


def _say(detector: h5py.Group, entry: h5py.Group, ours: h5py.Group, found: dict[str, Any]) -> None:
    """Write what the source said of its optics, where CXI has a place for it or else in our group."""
    found = {name: value for name, value in found.items() if value is not None}
    if "distance_m" in found:
        detector["distance"] = found.pop("distance_m")
    if "detector_pixel_m" in found:
        dy, dx = np.broadcast_to(found.pop("detector_pixel_m"), 2)
        detector["y_pixel_size"], detector["x_pixel_size"] = dy, dx
    photon_eV, electron_kV = found.pop("energy_eV", None), found.pop("kV", None)
    wavelength_m = found.pop("wavelength_m", None)
    if wavelength_m is None and photon_eV is not None:
        wavelength_m = wavelength_of_photon_m(photon_eV)
    elif wavelength_m is None and electron_kV is not None:
        wavelength_m = wavelength_of_electron_m(electron_kV)
    if wavelength_m is not None:
        entry["instrument_1/source_1/wavelength"] = wavelength_m
        entry["instrument_1/source_1/energy"] = energy_of_eV(wavelength_m) * _EV_IN_JOULE
    ours["zero_frequency"] = found.pop("zero_frequency", "centre")
    for name, value in found.items():
        ours[name] = value


def _add_translation(file: h5py.File) -> None:
    """Make the dataset of the positions, once there are any."""
    _growing(file.create_group("entry_1/sample_1/geometry_1"), "translation", (3,), np.dtype(np.float64))
    link = h5py.SoftLink("/entry_1/sample_1/geometry_1/translation")
    file["entry_1/instrument_1/detector_1/translation"] = link
    file["entry_1/data_1/translation"] = link


def _growing(group: h5py.Group, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> h5py.Dataset:
    chunk = (1 if len(shape) == 2 else 256, *shape)
    return group.create_dataset(name, (0, *shape), dtype, maxshape=(None, *shape), chunks=chunk)


def _extend(dataset: h5py.Dataset, values: Any) -> None:
    """Add rows behind those that a dataset has."""
    count = len(dataset)
    dataset.resize(count + len(values), axis=0)
    dataset[count:] = values
