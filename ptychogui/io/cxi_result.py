"""A result as CXI 1.6: object and probe as images, positions as the sample's translations."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from ptychogui.io import files
from ptychogui.io.geometry import energy_of_eV
from ptychogui.types import Result

_EV_IN_JOULE = 1.602176634e-19


def write(result: Result, path: Path) -> None:
    """Write `/entry_1/image_1`, the object (S, Y, X), `/entry_1/image_2`, the probe (M, ny, nx), and the geometry."""
    with files.replacing(path) as temporary, h5py.File(temporary, "w") as file:
        file["cxi_version"], file["number_of_entries"] = 160, 1
        entry = file.create_group("entry_1")
        entry["program_name"] = result.provenance.get("program", "ptychogui")
        y, x = result.scan.positions_m.T
        entry["sample_1/geometry_1/translation"] = np.stack([x, y, np.zeros_like(x)], axis=1)
        _image(entry, "image_1", "object", result.obj.slices, result.obj.pixel_m)
        entry["image_1/origin_m"] = result.obj.origin_m
        _image(entry, "image_2", "probe", result.probe.modes, result.probe.pixel_m)
        entry["data_1/data"] = h5py.SoftLink("/entry_1/image_1/data")
        entry["image_1/process_1/command"] = result.job
        if result.geometry.wavelength_m is not None:
            entry["instrument_1/source_1/wavelength"] = result.geometry.wavelength_m
            entry["instrument_1/source_1/energy"] = energy_of_eV(result.geometry.wavelength_m) * _EV_IN_JOULE
        if result.geometry.distance_m is not None:
            entry["instrument_1/detector_1/distance"] = result.geometry.distance_m


def _image(
    entry: h5py.Group, name: str, title: str, values: NDArray[np.complex64], pixel_m: tuple[float, float]
) -> None:
    group = entry.create_group(name)
    group["data"] = values.astype(np.complex64)
    group["title"], group["data_space"] = title, "real"
    group["is_fft_shifted"] = 0
    dy, dx = pixel_m
    group["image_size"] = np.array([values.shape[-1] * dx, values.shape[-2] * dy, 0.0])
