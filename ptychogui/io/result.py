"""Our own result file: HDF5 that this program restores wholly and that silx and h5web show at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ptychogui.geometry import Geometry
from ptychogui.io import files, hdf5
from ptychogui.io.data import Data
from ptychogui.io.raw import pair
from ptychogui.params import InputError
from ptychogui.types import Correlation, Notes, Object, Probe, Result, Scan

NAME = "ptychogui result"

_FORMAT = "ptychogui-result"
_PAIRS = ("detector_pixel_m", "given_pixel_m")


def is_result(path: Path | str) -> bool:
    """Whether this is a result that the program wrote, by its content."""
    path = Path(path)
    if not path.is_file() or not hdf5.is_hdf5(path):
        return False
    with hdf5.opened(path) as file:
        return bool(file.attrs.get("format") == _FORMAT)


def check_result_target(path: Path | str, source: Path | str) -> None:
    """Raise `InputError` where a result of `source` cannot be written to `path`, or where it would replace `source` or
    anything but an older result."""
    files.check_writable(path)
    path = Path(path)
    if not path.exists() or not path.stat().st_size:
        return
    if not is_result(path):
        raise InputError(f"{path} exists and is no result, so it is not replaced; give another name.")
    if Path(source).exists() and path.samefile(source):
        raise InputError(f"{path} is the result to go on from; give the new one another name.")


def write_result(result: Result, path: Path | str) -> None:
    """Write `/object`, `/probe`, `/positions_m`, `/loss`, `/unknowns`, `/metrics`, `/job`, `/provenance` and the rest.

    `/metrics/residual` (N,) is the R-factor of each frame; `/frc` holds the Fourier ring correlation, `/notes` what a
    person says of the result, if any.

    Raises `InputError` where the path cannot be written; an older file stays until the new one is whole.
    """
    with files.replacing(Path(path)) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["format"] = _FORMAT
        _picture(file, result.obj)
        file["probe"] = result.probe.modes.astype(np.complex64)
        file["probe"].attrs["pixel_m"] = result.probe.pixel_m
        file["positions_m"] = result.scan.positions_m.astype(np.float64)
        file["nominal_m"] = result.nominal_m.astype(np.float64)
        if result.scan.angle_rad is not None:
            file["angle_rad"] = result.scan.angle_rad
        file["loss"] = np.asarray(result.loss, dtype=np.float32)
        file["job"] = result.job
        file["warnings"] = np.array(result.warnings, dtype=h5py.string_dtype())
        if result.illumination is not None:
            file["illumination"] = result.illumination.astype(np.float32)
        _group(file, "unknowns", result.unknowns)
        _group(file, "metrics", result.metrics)
        if result.frame_r_factor is not None:
            file["metrics/residual"] = result.frame_r_factor.astype(np.float32)
        if result.correlation is not None:
            _group(file, "frc", vars(result.correlation))
        if result.notes != Notes():
            _group(file, "notes", vars(result.notes))
        _group(file, "provenance", result.provenance)
        known = {f.name: getattr(result.geometry, f.name) for f in fields(Geometry)}
        _group(file, "geometry", {name: value for name, value in known.items() if value is not None})


def _picture(file: h5py.File, obj: Object) -> None:
    """The object, and an NXdata group that points to it, with axes in metres, as the file's default picture."""
    file["object"] = obj.slices.astype(np.complex64)
    file["object"].attrs["pixel_m"], file["object"].attrs["origin_m"] = obj.pixel_m, obj.origin_m
    file.attrs["NX_class"], file.attrs["default"] = "NXroot", "picture"
    picture = file.create_group("picture")
    picture.attrs["NX_class"], picture.attrs["signal"] = "NXdata", "object"
    picture.attrs["axes"] = [".", "y", "x"]
    picture["object"] = file["object"]
    for name, count, pixel, origin in zip("yx", obj.slices.shape[1:], obj.pixel_m, obj.origin_m):
        picture[name] = origin + pixel * np.arange(count)
        picture[name].attrs["units"] = "m"


def _group(file: h5py.File, name: str, values: Mapping[str, Any]) -> None:
    group = file.create_group(name)
    for key, value in values.items():
        group[key.replace("/", "_")] = value


def read_result(path: Path | str) -> Result:
    """Restore a result. Raises `InputError` where the file is missing, damaged or no result of this program."""
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist; check the name.")
    if not is_result(path):
        raise InputError(f"{path} is not a result file of ptychogui.")
    try:
        with hdf5.opened(path) as file:
            return _restored(file)
    except (KeyError, ValueError, TypeError, OSError, RuntimeError) as error:
        raise InputError(f"{path} is a damaged result file: {error}.") from error


def _restored(file: h5py.File) -> Result:
    obj, probe = file["object"], file["probe"]
    if obj.ndim != 3 or probe.ndim != 3 or file["positions_m"].ndim != 2:
        raise ValueError("its object, probe or positions do not have the right number of dimensions")
    angle = np.asarray(file["angle_rad"], dtype=np.float64) if "angle_rad" in file else None
    return Result(
        obj=Object(obj[()].astype(np.complex64), pair(obj.attrs["pixel_m"]), pair(obj.attrs["origin_m"])),
        probe=Probe(probe[()].astype(np.complex64), pair(probe.attrs["pixel_m"])),
        scan=Scan(np.asarray(file["positions_m"], dtype=np.float64), angle),
        nominal_m=np.asarray(file["nominal_m"], dtype=np.float64),
        geometry=_geometry(file["geometry"]),
        loss=np.asarray(file["loss"], dtype=np.float32),
        metrics={name: float(value[()]) for name, value in file["metrics"].items() if name != "residual"},
        job=hdf5.text(file["job"]) or "",
        provenance={name: hdf5.text(value) or "" for name, value in file["provenance"].items()},
        unknowns={name: np.asarray(value) for name, value in file["unknowns"].items()},
        warnings=tuple(line.decode() for line in file["warnings"][()]),
        illumination=np.asarray(file["illumination"], np.float32) if "illumination" in file else None,
        frame_r_factor=np.asarray(file["metrics/residual"], np.float32) if "metrics/residual" in file else None,
        correlation=_correlation(file["frc"]) if "frc" in file else None,
        notes=_notes(file["notes"]) if "notes" in file else Notes(),
    )


def _notes(group: h5py.Group) -> Notes:
    stars = int(group["stars"][()])
    if not 0 <= stars <= 5:
        raise ValueError(f"it is rated by {stars} stars, not by 0 to 5")
    return Notes(stars, hdf5.text(group["text"]) or "")


def _correlation(group: h5py.Group) -> Correlation:
    curves = {field.name: np.asarray(group[field.name], np.float64) for field in fields(Correlation)}
    if len({values.shape for values in curves.values()}) != 1 or curves["frc"].ndim != 1 or not curves["frc"].size:
        raise ValueError("the curves of its ring correlation differ in length")
    return Correlation(**curves)


def _geometry(group: h5py.Group) -> Geometry:
    values: dict[str, Any] = {name: group[name][()] for name in group if name not in ("shape", "field", *_PAIRS)}
    known: dict[str, Any] = {name: float(value) for name, value in values.items()}
    known |= {name: pair(group[name][()]) for name in _PAIRS if name in group}
    ny, nx = (int(n) for n in group["shape"][()])
    near = hdf5.text(group["field"]) == "near"
    return Geometry(shape=(ny, nx), field="near" if near else "far", **known)


def data_of(path: Path) -> Data:
    """What the job in a result says of its data. Raises `InputError` where the data is not to be found."""
    with hdf5.opened(path) as file:
        job = hdf5.text(file.get("job")) or ""
    try:
        data = Data.read(tomllib.loads(job).get("data", {}))
    except (tomllib.TOMLDecodeError, InputError) as error:
        raise InputError(f"{path} is a result, and its job cannot be read: {error}") from error
    if not data.path:
        raise InputError(f"{path} is a result and does not say which data it was made from; open the data file.")
    places = (files.beside(path, data.path), path.parent / Path(data.path).name)
    found = next((place for place in places if place.exists() and not is_result(place)), None)
    if found is None:
        raise InputError(f"{path} is a result of {data.path}, which is not there; open the data file itself.")
    return Data.read(data.plain() | {"path": str(found)})
