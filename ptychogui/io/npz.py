"""NumPy's `.npz` with `data` (N, ny, nx), `scan` (N, 2) as (y, x) in pixels, `monitor` (N,) and what else is known."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.io import files
from ptychogui.io.data import Data
from ptychogui.io.raw import Listing, Raw, checked_frames, pair, without_leading_ones
from ptychogui.io.stored import StoredFrames, unpacked_npy
from ptychogui.params import InputError
from ptychogui.types import Dataset, Positions

NAME = "NPZ"

_LARGE_BYTES = 2**25
"""Frames of this size are unpacked to a temporary file, where they do not fill the memory."""
_NUMBERS = (
    "energy_eV",
    "wavelength_m",
    "kV",
    "distance_m",
    "focus_to_sample_m",
    "convergence_rad",
    "defocus_m",
)
_PAIRS = ("detector_pixel_m", "pixel_m")
_WORDS = ("field", "zero_frequency")


def sniff(path: Path) -> bool:
    """Whether the content is a ZIP archive whose first member is a `.npy` file, and which holds `data`."""
    start = files.head(path, 1024)
    name = start[30 : 30 + int.from_bytes(start[26:28], "little")]
    if not start.startswith(b"PK\x03\x04") or not name.endswith(b".npy"):
        return False
    if files.is_compressed(path):  # to look further would unpack all of it
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            return "data.npy" in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return True  # reading it says what is wrong


def read(path: Path, data: Data) -> Raw:
    """Read the arrays; leading axes of length 1 are dropped."""
    arrays = _arrays(path)
    if "data" not in arrays:
        raise InputError(
            f"{path} has no array 'data' with the frames; it holds {', '.join(sorted(arrays)) or 'nothing'}."
        )
    held = arrays["data"]
    frames = checked_frames(held if isinstance(held, StoredFrames) else without_leading_ones(held, 3), path)
    return Raw(
        frames,
        positions=_positions(arrays, path),
        mask=arrays["mask"].astype(bool) if "mask" in arrays else None,
        probe=_probe(arrays, frames.shape[1:]),
        monitor=_monitor(arrays),
        monitor_text="'monitor'",
        found=_found(arrays, path),
    )


def _arrays(path: Path) -> dict[str, Any]:
    source = files.source(path)
    try:
        arrays: dict[str, Any] = {}
        with zipfile.ZipFile(source) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
            if sum(sizes.values()) > files.memory_limit_bytes():
                size = sum(sizes.values()) / 2**30
                raise InputError(f"{path} unpacks to {size:.0f} GiB, which this machine cannot hold.")
            if sizes.get("data.npy", 0) >= _LARGE_BYTES:
                with archive.open("data.npy") as stream:
                    frames = unpacked_npy(stream)
                arrays |= {"data": frames} if frames is not None else {}
        if isinstance(source, BytesIO):
            source.seek(0)  # NumPy looks for the archive where the last reader left off
        with np.load(source, allow_pickle=False) as archive:
            return arrays | {name: archive[name] for name in archive.files if name not in arrays}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is a damaged NPZ archive ({error}).") from error


def _positions(arrays: Mapping[str, NDArray[Any]], path: Path) -> Listing | None:
    if "scan" not in arrays:
        return None
    scan = without_leading_ones(arrays["scan"], 2)
    if scan.ndim != 2 or scan.shape[1] != 2 or scan.dtype.kind not in "uif":
        raise InputError(
            f"{path} has positions 'scan' of shape {scan.shape} and type {scan.dtype}, not numbers (N, 2)."
        )
    return Listing(scan.astype(np.float64), "px", "'scan'")


def _monitor(arrays: Mapping[str, NDArray[Any]]) -> Positions | None:
    monitor = arrays.get("monitor")
    return None if monitor is None or monitor.dtype.kind not in "uif" else monitor.astype(np.float64).ravel()


def _probe(arrays: Mapping[str, NDArray[Any]], shape: tuple[int, ...]) -> NDArray[np.complex64] | None:
    if "probe" not in arrays or arrays["probe"].shape[-2:] != shape or arrays["probe"].dtype.kind not in "fc":
        return None
    return arrays["probe"].reshape(-1, *shape).astype(np.complex64)


def _found(arrays: Mapping[str, NDArray[Any]], path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = {name: float(arrays[name].item()) for name in _NUMBERS if name in arrays}
        found |= {name: pair(arrays[name]) for name in _PAIRS if name in arrays}
        found |= {name: str(arrays[name].item()) for name in _WORDS if name in arrays}
    except ValueError as error:
        raise InputError(f"{path}: one of its values is not a single number ({error}).") from error
    return found


def write(dataset: Dataset, path: Path) -> None:
    """Write frames, positions in pixels, mask, probe and geometry, so that `read` gives the same scan."""
    geometry = dataset.geometry
    arrays: dict[str, Any] = {
        "data": dataset.frames[:],
        "mask": dataset.mask,
        "field": geometry.field,
        "zero_frequency": "centre",
    }
    known = {name: getattr(geometry, name) for name in (*_NUMBERS, *_PAIRS) if hasattr(geometry, name)}
    known["pixel_m"] = geometry.given_pixel_m
    arrays |= {name: np.asarray(value) for name, value in known.items() if value is not None}
    if dataset.positions_known:
        arrays["scan"] = dataset.scan.positions_m / np.asarray(geometry.pixel_m)
    if dataset.probe is not None:
        arrays["probe"] = dataset.probe
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)
