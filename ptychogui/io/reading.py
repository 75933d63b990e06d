"""The way from a path to a Dataset: read by content, add what is known, prepare, and tell where each thing is from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from ptychogui.geometry import Geometry
from ptychogui.io import geometry, mapped, preparation, result, scan, sidecar
from ptychogui.io.data import Data
from ptychogui.io.kept import raw_of
from ptychogui.io.prepare import PreparedFrames
from ptychogui.io.raw import Raw
from ptychogui.io.readers import reader_of
from ptychogui.io.text import read_positions
from ptychogui.params import InputError
from ptychogui.types import Complex, Dataset, Truth, Value


def read(data: Data, need_scan: bool = True, beside: bool = True) -> Dataset:
    """Read and prepare the scan at `data.path`.

    What the file does not hold comes from the TOML beside it, unless `beside` is False, and before that from `data`.
    Frames of HDF5, TIFF and `.npy` stay on disk. Without positions `InputError` says what to give, or, with
    `need_scan=False`, an even raster is made up so that the frames can be looked at. A result file stands for the data
    that it was made from. Raises `InputError` with one sentence for whatever is wrong with the file or with what is
    said about it.
    """
    data, format, raw = opened(data, beside)
    path = Path(data.path)
    with _naming(path):
        said = data.model_copy(update={"path": str(path.absolute())})
        return prepared(format, str(path), raw, said, need_scan)


def opened(data: Data, beside: bool = True) -> tuple[Data, str, Raw]:
    """What a file holds before it is prepared: everything that is said of it, the name of its format, its content.

    As `read`, it takes what is beside the file, unless `beside` is False, and raises `InputError`.
    """
    if not data.path:
        raise InputError("No data file is given; name one with data.path.")
    path = Path(data.path).expanduser()
    if result.is_result(path):
        kept = result.data_of(path)
        path, data = (
            Path(kept.path),
            Data.read(sidecar.set_values(kept) | {**sidecar.set_values(data), "path": kept.path}),
        )
    if not path.exists():
        raise InputError(f"{path} does not exist; check the name.")
    data = sidecar.layered(path, data) if beside else data
    reader = reader_of(path, data)
    with _naming(path):
        if reader is mapped:
            data = mapped.with_mapping(path, data)
        return data.model_copy(update={"path": str(path)}), reader.NAME, raw_of(reader, path, data)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the name of the file before what is wrong with it, unless it is there."""
    try:
        yield
    except InputError as error:
        if path.name in str(error) or isinstance(error, mapped.UnmappedError):
            raise
        raise InputError(f"{path.name}: {error}") from error


def prepared(format: str, source: str, raw: Raw, data: Data, need_scan: bool = True) -> Dataset:
    """What a reader, or a source, has found as a dataset, as is said by `data`.

    Raises `InputError` as `read` does.
    """
    listing = read_positions(Path(data.positions)) if data.positions is not None else None
    far = geometry.field_of(raw, data)[0] == "far"
    made = preparation.decide(raw, data, far)
    frames = made.frames
    optics = geometry.geometry(raw, data, (frames.shape[1], frames.shape[2]))
    found = scan.find(raw, listing, data, optics, frames.numbers, need_scan)
    probe, probe_value = _probe(raw, made.untouched)
    truth = _truth(raw, made.untouched, frames.numbers)
    return Dataset(
        frames=frames,
        mask=frames.used,
        scan=found.scan,
        geometry=optics,
        source=source,
        format=format,
        positions_known=found.known,
        probe=probe,
        truth=truth,
        values=(
            Value("format", format, "file"),
            made.values[0],
            found.value,
            *geometry.values(raw, data, optics),
            *made.values[1:],
            probe_value,
            *([Value("truth", "the file knows the object, the probe and the positions", "file")] if truth else []),
        ),
        warnings=(*raw.warnings, *made.warnings, *_pixel_warning(optics)),
        meta=raw.meta,
        data=data.plain(),
    )


def longer(dataset: Dataset, raw: Raw, data: Data) -> Dataset:
    """A dataset by `prepared` with further frames of the same scan, whose positions `raw` lists, prepared alike."""
    frames = dataset.frames
    assert isinstance(frames, PreparedFrames)
    count = raw.frames.shape[0]
    more = replace(frames, raw=raw, numbers=np.arange(count))
    found = scan.find(raw, None, data, dataset.geometry, more.numbers, need_scan=False)
    return replace(dataset, frames=more, scan=found.scan)


def _pixel_warning(optics: Geometry) -> tuple[str, ...]:
    if optics.calibrated:
        return ()
    return (
        "The pixel at the sample is not known, so lengths are in pixels; give energy, distance and detector pixel.",
    )


def _probe(raw: Raw, untouched: bool) -> tuple[Complex | None, Value]:
    if raw.probe is None:
        return None, Value("probe", "none in the file", "default")
    if not raw.probe.any():
        return None, Value("probe", "not used, since it is empty", "file")
    if not untouched or not np.isfinite(raw.probe).all():
        return None, Value("probe", "not used, since it does not fit the prepared frames", "file")
    return raw.probe, Value("probe", f"{len(raw.probe)} mode{'s' if len(raw.probe) > 1 else ''}", "file")


def _truth(raw: Raw, untouched: bool, numbers: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Truth | None:
    """The truth of the frames that are used; after cropping or binning it no longer fits."""
    if raw.truth is None or not untouched:
        return None
    return replace(raw.truth, positions_m=raw.truth.positions_m[numbers])
