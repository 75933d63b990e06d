"""Writing CXI 1.6 that `cxi.read` reads back equal; what the standard has no place for goes into a group of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ptychogui.geometry import Geometry
from ptychogui.io.cxi import OURS
from ptychogui.io.geometry import energy_of_eV
from ptychogui.io.prepare import BLOCK
from ptychogui.io.truth import write_truth
from ptychogui.types import Complex, Dataset, Mask, Positions

_EV_IN_JOULE = 1.602176634e-19


DETECTOR = "entry_1/instrument_1/detector_1"
FRAMES = f"{DETECTOR}/data"
TRANSLATION = "entry_1/sample_1/geometry_1/translation"


def write(dataset: Dataset, path: Path) -> None:
    """Write frames, mask, geometry, positions, and the truth where there is one."""
    with h5py.File(path, "w") as file:
        write_outline(file, dataset.geometry, dataset.mask, dataset.probe)
        _frames(file, dataset)
        if dataset.positions_known:
            file[TRANSLATION] = translation(dataset.scan.positions_m)
            link_positions(file)
        if dataset.truth is not None:
            write_truth(file, dataset.truth)


def write_outline(file: h5py.File, geometry: Geometry, mask: Mask, probe: Complex | None = None) -> None:
    """Write all that is known without frames and positions, and the links to the frames."""
    file["cxi_version"], file["number_of_entries"] = 160, 1
    detector = file.create_group(DETECTOR)
    detector["mask"] = (~mask).astype(np.uint32)
    _optics(detector, file["entry_1"], geometry)
    file["entry_1/data_1/data"] = h5py.SoftLink(f"/{FRAMES}")
    _ours(file.create_group(OURS), geometry, probe)


def link_positions(file: h5py.File) -> None:
    """The other places where programs look for positions."""
    for holder in (DETECTOR, "entry_1/data_1"):
        file[f"{holder}/translation"] = h5py.SoftLink(f"/{TRANSLATION}")


def translation(positions_m: Positions) -> Positions:
    """Positions (N, 2) as (x, y, z), as the standard wants them."""
    y, x = positions_m.T
    moved: Positions = np.stack([x, y, np.zeros_like(x)], axis=1)
    return moved


def _frames(file: h5py.File, dataset: Dataset) -> None:
    """Whole counts are kept as integers, compressed frame by frame."""
    frames = dataset.frames
    kind = _smallest_type(dataset)
    stored = file.create_dataset(
        FRAMES, frames.shape, kind, chunks=(1, *frames.shape[1:]), compression="gzip", compression_opts=1, shuffle=True
    )
    for start in range(0, frames.shape[0], BLOCK):
        stored[start : start + BLOCK] = frames[start : start + BLOCK].astype(kind)


def _smallest_type(dataset: Dataset) -> type[np.generic]:
    largest = 0.0
    for start in range(0, dataset.frames.shape[0], BLOCK):
        block: NDArray[Any] = dataset.frames[start : start + BLOCK]
        if not (np.isfinite(block).all() and (block >= 0).all() and (block == np.rint(block)).all()):
            return np.float32
        largest = max(largest, float(block.max()))
    if largest < np.iinfo(np.uint16).max:
        return np.uint16
    return np.uint32 if largest < 2**24 else np.float32


def _optics(detector: h5py.Group, entry: h5py.Group, geometry: Geometry) -> None:
    if geometry.distance_m is not None:
        detector["distance"] = geometry.distance_m
    if geometry.detector_pixel_m is not None:
        dy, dx = geometry.detector_pixel_m
        detector["y_pixel_size"], detector["x_pixel_size"] = dy, dx
        detector["basis_vectors"] = np.array([[0, -dx], [-dy, 0], [0, 0]])
    if geometry.wavelength_m is not None:
        entry["instrument_1/source_1/wavelength"] = geometry.wavelength_m
        entry["instrument_1/source_1/energy"] = energy_of_eV(geometry.wavelength_m) * _EV_IN_JOULE


def _ours(group: h5py.Group, geometry: Geometry, probe: Complex | None) -> None:
    group["field"], group["zero_frequency"] = geometry.field, "centre"
    values = {
        "focus_to_sample_m": geometry.focus_to_sample_m,
        "convergence_rad": geometry.convergence_rad,
        "defocus_m": geometry.defocus_m,
        "pixel_m": geometry.given_pixel_m,
        "probe": probe,
    }
    for name, value in values.items():
        if value is not None:
            group[name] = value
