"""What an HDF5 file holds that is still being written, and which of its rows are whole."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping as Values
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ptychogui.io import cxi, cxi_growing, hdf5, mapped, mapping, proposals
from ptychogui.io.contents import HDF5, Node
from ptychogui.io.mapping import Mapping
from ptychogui.live.events import Begin
from ptychogui.live.rows import Rows, rows_of, rows_of_cxi
from ptychogui.params import InputError
from ptychogui.types import Frames

_SOME = 5
"""An axis that has no row yet is judged as if it had so many."""
_KEYS = re.compile(r"^(keys?|uid|unique_?(id|key)s?|ndarrayuniqueid)$", re.IGNORECASE)
_NUMBERING = re.compile(r"id", re.IGNORECASE)
_SMALLEST_PX = 4
LARGEST_FRAME_BYTES = 2**28


@dataclass(frozen=True)
class Names:
    """Paths of datasets that the user gives; empty ones are found. Positions may be two, separated by a comma."""

    frames: str = ""
    positions: str = ""
    keys: str = ""


@dataclass(frozen=True)
class Growing:
    """The frames (N, ny, nx) of an open file, and the rows that belong to them.

    `stacked` is the dataset of the frames as it lies in the file. `keys` is one that is written last, with 0 for what
    is not whole; where `numbering`, its values count the frames.
    """

    begin: Begin
    frames: Frames
    stacked: h5py.Dataset
    positions: Rows | None
    keys: h5py.Dataset | None
    started: str = ""
    """When the scan began, where the file says so."""

    @property
    def numbering(self) -> bool:
        """Whether the keys tell the frames' places in the scan, and not only that they are there."""
        return self.keys is not None and bool(_NUMBERING.search(self.keys.name.rsplit("/", 1)[-1]))

    def refresh(self) -> None:
        """See what was written since the last look, where the file is one that is written and read at once."""
        for dataset in (self.stacked, self.keys, *(self.positions.datasets if self.positions is not None else ())):
            if dataset is not None:
                dataset.refresh()

    def whole(self, first: int, most: int) -> int:
        """The end of the rows from `first` on, at most so many, that are whole."""
        last = self.rows(first, most)
        if self.keys is not None:
            missing = np.flatnonzero(self.key_values(first, last) == 0)
            return first + int(missing[0]) if len(missing) else last
        while self._in_chunks and last > first and not self._is_written(last - 1):
            last = (first + last) // 2
        return last

    def rows(self, first: int, most: int) -> int:
        """The end of the rows from `first` on, at most so many, for which there is room."""
        room = self.frames.shape[0] if self.keys is None else min(self.frames.shape[0], math.prod(self.keys.shape))
        return max(first, min(first + most, room))

    @property
    def shows_what_is_whole(self) -> bool:
        """Whether `whole` is sure of every frame; if not, an empty one may not have been written yet."""
        return self.keys is not None or (self._in_chunks and math.prod(self.stacked.chunks[:-2]) == 1)

    def key_values(self, first: int, last: int) -> NDArray[Any]:
        """The keys of some rows."""
        assert self.keys is not None
        return _flat(self.keys, first, last)

    @property
    def _in_chunks(self) -> bool:
        """Whether the file tells which frames were written: it has chunks, and its axes are those of the frames."""
        return self.stacked.chunks is not None and self.stacked.shape[-2:] == self.frames.shape[1:]

    def _is_written(self, row: int) -> bool:
        at = (*np.unravel_index(row, self.stacked.shape[:-2]), *(n - 1 for n in self.stacked.shape[-2:]))
        corner = tuple(int(i) // n * n for i, n in zip(at, self.stacked.chunks))
        written: bool = self.stacked.id.get_chunk_info_by_coord(corner).byte_offset is not None
        return written


def found_in(file: h5py.File, path: Path, names: Names) -> Growing | None:
    """What is to be read from an open file; None where there are no frames yet.

    CXI and NeXus layouts are known; else what a mapping says that was kept for the layout, else the likeliest. Raises
    `InputError` where what is there, or what the user gives, cannot be frames or positions.
    """
    growing = _found_in(file, path, names)
    if growing is None:
        return None
    hdf5.check_filters(growing.stacked)
    entry = next((part for part in growing.stacked.name.split("/") if part), "")
    started = hdf5.text(file.get(f"{entry}/start_time")) or file.attrs.get("file_time", "")
    return replace(growing, started=str(started))


def _found_in(file: h5py.File, path: Path, names: Names) -> Growing | None:
    known = cxi.parts(file) if not names.frames else None
    if known is not None and sum(n != 1 for n in known.frames.shape[:-2]) <= 1:
        growing = _of_cxi(known, file, path)
        if not names.positions:
            return _with_keys(growing, file, names)
        rows = rows_of(HDF5(path, file), _mapping_of_positions(names.positions))
        growing = replace(growing, positions=rows, begin=replace(growing.begin, positions_unit=rows.unit))
        return _with_keys(growing, file, names)
    holder = HDF5(path, file)
    holder.nodes = tuple(replace(node, shape=tuple(n or _SOME for n in node.shape or ())) for node in holder.nodes)
    asked = _mapping(holder, names)
    return _with_keys(_mapped(holder, asked, path), file, names) if asked.given else None


def _of_cxi(parts: cxi.Parts, file: h5py.File, path: Path) -> Growing:
    frames = hdf5.LazyFrames(parts.frames, path)
    begin = Begin(
        shape=_frame_shape(frames, parts.frames, path),
        dtype=frames.dtype,
        frames=_expected(parts.frames, file),
        name=path.name,
        found={name: value for name, value in parts.found.items() if value is not None},
        mask=parts.mask if parts.mask is not None and parts.mask.shape == frames.shape[1:] else None,
        probe=parts.probe,
    )
    positions = None if parts.translation is None else rows_of_cxi(parts.translation, parts.axes)
    return Growing(begin, frames, parts.frames, positions, None)


def _mapped(holder: HDF5, asked: Mapping, path: Path) -> Growing:
    array = holder.array(asked.frames or "")
    assert isinstance(array, h5py.Dataset)
    rank = sum(n != 1 for n in array.shape[:-2]) + 2
    frames = mapped.MappedFrames(array, asked.axes or ("rcyx" if rank == 4 else "nyx"), path, holder)
    rows = rows_of(holder, asked) if asked.positions or asked.positions_y else None
    begin = Begin(
        shape=_frame_shape(frames, array, path),
        dtype=frames.dtype,
        frames=_expected(array, array.file),
        name=path.name,
        found=mapped.quantities(holder, asked),
        positions_unit=rows.unit if rows is not None else None,
        mask=mapped.mask_of(holder, asked, (frames.shape[1], frames.shape[2]), {}),
    )
    return Growing(begin, frames, array, rows, None)


def _mapping(holder: HDF5, names: Names) -> Mapping:
    """What the user says, over what was kept for this layout, over what is likely."""
    kept = mapping.remembered(holder.nodes) or proposals.proposed(holder)[0]
    values: dict[str, Any] = kept.plain()
    if names.frames:
        node = _node(holder, names.frames)
        values |= {"frames": node.path, "axes": proposals.axes_of(holder, node)[0]}
    if names.positions:
        places = {name: value for name, value in values.items() if not name.startswith("positions")}
        values = places | _mapping_of_positions(names.positions).plain()
    return Mapping.read(values)


def _mapping_of_positions(names: str) -> Mapping:
    parts = [name.strip() for name in names.split(",")]
    keys = ("positions",) if len(parts) == 1 else ("positions_y", "positions_x")
    if len(parts) > 2:
        raise InputError(f"'{names}' names {len(parts)} datasets, but positions are in one, or in those of y and x.")
    values: Values[str, object] = dict(zip(keys, parts))
    return Mapping.read(values)


def _node(holder: HDF5, name: str) -> Node:
    path = f"/{name.lstrip('/')}"
    node = next((node for node in holder.nodes if node.path == path), None)
    if node is None or not proposals.fits(node, "frames"):
        raise InputError(f"'{name}' is no stack of frames in this file; choose another dataset.")
    return node


def _with_keys(growing: Growing, file: h5py.File, names: Names) -> Growing:
    """With the dataset that is written last: named by the user, ours, or one of a usual name with a row per frame."""
    keys = file.get(names.keys or cxi_growing.KEYS)
    if isinstance(keys, h5py.Dataset):
        return replace(growing, keys=keys)
    if names.keys:
        raise InputError(f"'{names.keys}' is no dataset of this file; choose another one.")
    lead = _rows(growing.stacked.maxshape[:-2])
    found: list[h5py.Dataset] = []

    def look(path: str, entry: Any) -> None:
        *groups, name = path.split("/")
        named = _KEYS.match(name) or groups[-1:] == ["keys"]
        if named and isinstance(entry, h5py.Dataset) and entry.dtype.kind in "ui" and _rows(entry.maxshape) == lead:
            found.append(entry)

    file.visititems(look)
    return replace(growing, keys=found[0] if found else None)


def _rows(shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """A shape without axes of length 1."""
    return tuple(n for n in shape if n != 1)


def _frame_shape(frames: Frames, stacked: h5py.Dataset, path: Path) -> tuple[int, int]:
    ny, nx = frames.shape[-2:]
    large = max(ny * nx, math.prod(stacked.chunks or ())) * frames.dtype.itemsize > LARGEST_FRAME_BYTES
    if large or min(ny, nx) < _SMALLEST_PX or frames.dtype.kind not in "uif":
        raise InputError(f"{path} holds an array of {ny} × {nx} {frames.dtype}, which cannot be frames; name another.")
    return ny, nx


def _expected(stacked: h5py.Dataset, file: h5py.File) -> int | None:
    """How many frames there are going to be: as our own files say, or as there is room for."""
    said = hdf5.number(file.get(cxi_growing.EXPECTED), "")
    if said is not None:
        return int(said)
    lead = stacked.maxshape[:-2]
    return None if any(n is None for n in lead) else math.prod(lead)


def _flat(dataset: h5py.Dataset, first: int, last: int) -> NDArray[Any]:
    if dataset.ndim == 1:
        return np.asarray(dataset[first:last])
    return np.asarray(dataset).ravel()[first:last]
