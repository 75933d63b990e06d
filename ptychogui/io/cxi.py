"""CXI 1.6 and NXcxi_ptycho: HDF5 with detector, source and geometry of each entry (cxidb.org/cxi.html)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ptychogui.geometry import HC_EV_M
from ptychogui.io import hdf5
from ptychogui.io.data import Data
from ptychogui.io.raw import Listing, Raw, checked_frames, pair
from ptychogui.io.truth import read_truth
from ptychogui.params import InputError
from ptychogui.types import Complex, Mask, Positions

NAME = "CXI"

OURS = "ptychogui"
"""The group for what the standard has no place for, under the names of the fields of `Data`."""

_JOULE_IN_EV = 1 / 1.602176634e-19
_HAS_SIGNAL = 0x00010000


Axes = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Directions (x, y, z) of the detector's rows and columns."""


@dataclass(frozen=True)
class Parts:
    """What an open file holds; frames and translation stay where they are, for as long as the file is open."""

    frames: h5py.Dataset
    translation: h5py.Dataset | None
    axes: Axes
    mask: Mask | None
    probe: Complex | None
    found: dict[str, Any]
    doubts: dict[str, str]


def sniff(path: Path) -> bool:
    """Whether this is HDF5 with frames where CXI has them."""
    if not hdf5.is_hdf5(path):
        return False
    with hdf5.opened(path) as file:
        return "cxi_version" in file or _frames(file) is not None


def read(path: Path, data: Data) -> Raw:
    """Open the first stack of frames; it stays on disk. Raises `InputError` where there is none."""
    file = hdf5.opened(path)
    try:
        found = parts(file)
        if found is None:
            raise InputError(f"{path} has no stack of frames under entry_1/instrument_1/detector_1/data.")
        lazy = checked_frames(hdf5.LazyFrames(found.frames, path), path)
        monitor = _monitor(_ancestor(found.frames, "entry"), lazy.shape[0])
        return Raw(
            lazy,
            positions=_listing(found),
            mask=found.mask,
            probe=found.probe,
            monitor=None if monitor is None else np.asarray(monitor, np.float64).ravel(),
            monitor_text="" if monitor is None else f"'{monitor.name.lstrip('/')}'",
            truth=read_truth(file),
            found=found.found,
            doubts=found.doubts,
        )
    except (KeyError, OSError, RuntimeError) as error:
        file.close()
        raise InputError(f"{path} is a damaged or unusual CXI file: {error}.") from error
    except InputError:
        file.close()
        raise


def parts(file: h5py.File) -> Parts | None:
    """What an open file holds, also while it is being written; None where there is no stack of frames."""
    frames = _frames(file)
    if frames is None:
        return None
    detector, entry, shape = frames.parent, _ancestor(frames, "entry"), frames.shape[-2:]
    doubts: dict[str, str] = {}
    return Parts(
        frames,
        _translation(detector, entry),
        _axes(detector),
        _mask(detector, shape, OURS in file, doubts),
        _start_probe(file, shape),
        _found(file, detector, entry, doubts),
        doubts,
    )


def _groups(parent: Any, prefix: str) -> Iterator[h5py.Group]:
    for name in sorted(parent):
        child = parent.get(name)
        if name.startswith(prefix) and isinstance(child, h5py.Group):
            yield child


def _frames(file: h5py.File) -> h5py.Dataset | None:
    """The first dataset `data` of three or more dimensions, below a detector or else below data_1."""
    for entry in _groups(file, "entry"):
        holders = [d for i in _groups(entry, "instrument") for d in _groups(i, "detector")]
        for holder in (*holders, *_groups(entry, "data"), *_groups(entry, "image")):
            dataset = holder.get("data")
            if isinstance(dataset, h5py.Dataset) and dataset.ndim >= 3:
                return dataset
    return None


def _ancestor(dataset: h5py.Dataset, prefix: str) -> h5py.Group:
    return dataset.file[next(part for part in dataset.name.split("/") if part.startswith(prefix))]


def _first(parent: h5py.Group, *paths: tuple[str, ...]) -> Any:
    """The dataset at the first of these paths, whose parts are beginnings of names; None where there is none."""
    for path in paths:
        groups = [parent]
        for part in path[:-1]:
            groups = [child for group in groups for child in _groups(group, part)]
        for group in groups:
            if isinstance(group.get(path[-1]), h5py.Dataset):
                return group[path[-1]]
    return None


def _translation(detector: h5py.Group, entry: h5py.Group) -> h5py.Dataset | None:
    found = detector.get("translation")
    if found is None or found.ndim != 2:
        found = _first(entry, ("sample", "geometry", "translation"), ("data", "translation"), ("sample", "translation"))
    return None if found is None or found.ndim != 2 else found


def _listing(parts: Parts) -> Listing | None:
    if parts.translation is None:
        return None
    translation = np.asarray(parts.translation, dtype=np.float64)
    if translation.shape[0] in (2, 3) and translation.shape[1] not in (2, 3):
        translation = translation.T
    if translation.shape[1] not in (2, 3):
        name = parts.translation.file.filename
        raise InputError(f"{name} has a translation of shape {parts.translation.shape}, not (N, 3).")
    return Listing(positions(translation, parts.axes), "m", f"'{parts.translation.name.lstrip('/')}'")


def positions(translation: NDArray[Any], axes: Axes) -> Positions:
    """The positions (N, 2) of the beam on the sample, as the translation (N, 2 or 3) in metres is the sample's."""
    slow, fast = axes
    moved = np.zeros((len(translation), 3))
    moved[:, : translation.shape[1]] = -translation
    where: Positions = np.stack([moved @ slow, moved @ fast], axis=1)
    return where


def _axes(detector: h5py.Group) -> Axes:
    """As `basis_vectors` says; both axes negative where the file does not say."""
    basis = detector.get("basis_vectors")
    if not isinstance(basis, h5py.Dataset) or basis.shape not in ((3, 2), (2, 3)):
        return np.array([0.0, -1.0, 0.0]), np.array([-1.0, 0.0, 0.0])
    vectors = np.asarray(basis, dtype=np.float64)
    slow, fast = vectors.T if basis.shape == (3, 2) else vectors
    return slow / np.linalg.norm(slow), fast / np.linalg.norm(fast)


def _mask(detector: h5py.Group, shape: tuple[int, ...], ours: bool, doubts: dict[str, str]) -> Mask | None:
    """True where good. The standard says 0 is good; in a file that is not ours, a mask that is mostly set is taken the
    other way round."""
    dataset = detector.get("mask")
    if not isinstance(dataset, h5py.Dataset):
        return None
    flags = np.asarray(dataset)
    if flags.dtype.kind in "ui":
        flags = flags & ~np.array(_HAS_SIGNAL, flags.dtype) if flags.dtype.itemsize >= 4 else flags
    bad: Mask = flags != 0
    if bad.ndim == 3:
        bad = np.logical_or.reduce(bad, axis=0)
    if bad.shape == shape and bad.mean() > 0.5 and not ours:
        doubts["mask"] = "most of the mask is set, so 1 is taken as good, against the standard"
        return ~bad
    return ~bad


def _monitor(entry: h5py.Group, count: int) -> h5py.Dataset | None:
    """The first monitor of the beam (NXmonitor, as monitor_1 or control) with one number for each frame."""
    for group in (*_groups(entry, "monitor"), *_groups(entry, "control")):
        dataset = group.get("data")
        if isinstance(dataset, h5py.Dataset) and dataset.size == count and dataset.dtype.kind in "uif":
            return dataset
    return None


def _found(file: h5py.File, detector: h5py.Group, entry: h5py.Group, doubts: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    source = [g for i in _groups(entry, "instrument") for g in (*_groups(i, "source"), *_groups(i, "beam"))]
    energies = [_energy_eV(g.get("energy"), doubts) for g in source]
    wavelengths = [hdf5.number(g.get(name), "m") for g in source for name in ("wavelength", "incident_wavelength")]
    found["energy_eV"] = next((e for e in energies if e), None)
    found["wavelength_m"] = next((w for w in wavelengths if w), None)
    if found["energy_eV"] and found["wavelength_m"]:
        ratio = found["energy_eV"] * found["wavelength_m"] / HC_EV_M
        if abs(ratio - 1) > 1e-3 and not file.get(OURS):
            doubts["wavelength_m"] = f"the file's energy says {HC_EV_M / found['energy_eV']:.5g} m instead"
    distance = hdf5.number(detector.get("distance"), "m")
    found["distance_m"] = abs(distance) if distance else None
    pixels = [hdf5.number(detector.get(name), "m") for name in ("y_pixel_size", "x_pixel_size")]
    if all(pixels):
        found["detector_pixel_m"] = tuple(abs(p) for p in pixels if p)
    return found | _ours(file)


def _energy_eV(dataset: Any, doubts: dict[str, str]) -> float | None:
    """CXI energies are joules; a number that cannot be is taken as eV."""
    if not isinstance(dataset, h5py.Dataset):
        return None
    if hdf5.units(dataset).endswith("eV"):
        return hdf5.number(dataset, "eV")
    value = hdf5.number(dataset, "J")
    if value is not None and value > 1e-9:
        doubts["wavelength_m"] = "the file's energy cannot be joules and is taken as eV"
        return value
    return None if value is None else value * _JOULE_IN_EV


def _ours(file: h5py.File) -> dict[str, Any]:
    group = file.get(OURS)
    if not isinstance(group, h5py.Group):
        return {}
    numbers = {name: hdf5.number(group.get(name), "") for name in ("focus_to_sample_m", "convergence_rad", "defocus_m")}
    words = {name: hdf5.text(group.get(name)) for name in ("field", "zero_frequency")}
    pixel = {"pixel_m": pair(group["pixel_m"][()])} if "pixel_m" in group else {}
    return {name: value for name, value in {**numbers, **words, **pixel}.items() if value is not None}


def _start_probe(file: h5py.File, shape: tuple[int, ...]) -> Complex | None:
    dataset = file.get(f"{OURS}/probe")
    if not isinstance(dataset, h5py.Dataset) or dataset.shape[-2:] != shape:
        return None
    return np.asarray(dataset).reshape(-1, *shape).astype(np.complex64)
