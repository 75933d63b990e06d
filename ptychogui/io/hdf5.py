"""Small things that reading HDF5 needs: opening with a clear error, numbers with units, frames that stay on disk."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ptychogui.io import files
from ptychogui.params import InputError, parse_quantity

MAGIC = b"\x89HDF\r\n\x1a\n"
_MATLAB = b"MATLAB 7.3"
_MATLAB_BYTES = 512
"""MATLAB 7.3 writes a text of this length before the HDF5."""


def is_hdf5(path: Path) -> bool:
    """Whether the content begins as HDF5 does, at once or behind MATLAB's text."""
    start = files.head(path)
    if not start.startswith(_MATLAB):
        return start.startswith(MAGIC)
    return files.head(path, _MATLAB_BYTES + len(MAGIC))[_MATLAB_BYTES:] == MAGIC


def opened(path: Path) -> h5py.File:
    """The file, open for reading. Raises `InputError` where it is truncated or damaged."""
    try:
        return h5py.File(files.source(path), "r")
    except OSError as error:
        reason = "it is truncated" if "truncated" in str(error) else str(error)
        raise InputError(f"{path} is a damaged HDF5 file ({reason}); copy it again.") from error


def check_filters(dataset: h5py.Dataset) -> None:
    """Make those compressions known that the library hdf5plugin has. Raises `InputError` where one is missing."""
    filters = dataset.id.get_create_plist()
    used = [filters.get_filter(index) for index in range(filters.get_nfilters())]
    if all(h5py.h5z.filter_avail(one[0]) for one in used):
        return
    with suppress(ImportError):
        import hdf5plugin  # noqa: F401 - it registers what it has
    for code, *_, name in used:
        if not h5py.h5z.filter_avail(code):
            text = name.split(b";")[0].decode("utf-8", "replace") or f"number {code}"
            raise InputError(f"The frames are compressed by the filter {text}: pip install 'ptychogui[live]'.")


def number(dataset: Any, unit: str) -> float | None:
    """A scalar dataset in SI, by its `units` attribute where there is one; None where it is missing or no number."""
    if not isinstance(dataset, h5py.Dataset) or dataset.size < 1 or dataset.dtype.kind not in "uif":
        return None
    value = float(np.ravel(dataset[()])[0])
    if not np.isfinite(value):
        return None
    try:
        return parse_quantity(f"{value!r} {units(dataset)}", unit)
    except InputError:
        return value


def units(dataset: h5py.Dataset) -> str:
    """The `units` attribute of a dataset, which programs write as text, bytes or an array of one; empty without."""
    given = np.ravel(dataset.attrs.get("units", ""))
    first = given[0] if given.size else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)


def text(dataset: Any) -> str | None:
    """A scalar text dataset; None where it is missing or no text."""
    if not isinstance(dataset, h5py.Dataset) or dataset.shape not in ((), (1,)) or dataset.dtype.kind not in "OSU":
        return None
    value = np.ravel(dataset[()])[0]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@dataclass(frozen=True)
class LazyFrames:
    """Frames (N, ny, nx) in an HDF5 dataset, read when they are indexed; leading axes of length 1 are dropped."""

    dataset: h5py.Dataset
    path: Path

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, ny, nx)"""
        shape = tuple(self.dataset.shape)
        while len(shape) > 3 and shape[0] == 1:
            shape = shape[1:]
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type on disk."""
        dtype: np.dtype[Any] = self.dataset.dtype
        return dtype

    def __getitem__(self, index: Any) -> NDArray[Any]:
        ones = (0,) * (len(self.dataset.shape) - len(self.shape))
        try:
            block: NDArray[Any] = self.dataset[(*ones, index)]
        except OSError as error:
            raise InputError(f"The frames in {self.path} cannot be read, the file is damaged: {error}.") from error
        return block
