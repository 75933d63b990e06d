"""Positions in an HDF5 file that is still being written, row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import h5py
import numpy as np
from numpy.typing import NDArray

from ptychogui.io import cxi, mapped
from ptychogui.io.contents import HDF5
from ptychogui.io.mapping import Mapping
from ptychogui.io.raw import PositionUnit
from ptychogui.params import InputError
from ptychogui.types import Positions

_LENGTHWISE = (2, 3)


@dataclass(frozen=True)
class Rows:
    """Positions (n, 2) in one dataset, or in two for y and x; `turned` makes positions of its columns."""

    datasets: tuple[h5py.Dataset, ...]
    unit: PositionUnit | None
    turned: Callable[[NDArray[np.float64]], Positions]

    def __len__(self) -> int:
        return min(len(self._table(dataset)) for dataset in self.datasets)

    def read(self, first: int, last: int) -> Positions:
        """Positions (n, 2) of some rows, y first; of a file that is being written the last ones may be zeros."""
        columns = [np.asarray(self._table(dataset)[first:last], np.float64) for dataset in self.datasets]
        table = columns[0] if len(columns) == 1 else np.stack(columns, axis=1)
        return self.turned(table)

    def _table(self, dataset: h5py.Dataset) -> h5py.Dataset | NDArray[np.float64]:
        """Rows of a dataset; only one whose first axis is not that of the frames is read whole."""
        single = len(self.datasets) == 1
        if dataset.ndim == 1 + single and (not single or dataset.shape[1] in _LENGTHWISE):
            return dataset
        values = np.asarray(dataset, np.float64)
        if not single:
            return values.ravel()
        return values.T if values.ndim == 2 else mapped.table(values)


def rows_of_cxi(translation: h5py.Dataset, axes: cxi.Axes) -> Rows:
    """The translation of the sample in metres."""
    return Rows((translation,), "m", lambda table: cxi.positions(table, axes))


def rows_of(holder: HDF5, asked: Mapping) -> Rows:
    """The positions that a mapping names. Raises `InputError` where they are none."""
    names = [asked.positions_y, asked.positions_x] if asked.positions_y else [asked.positions]
    datasets = [holder.array(name or "") for name in names]
    for name, dataset in zip(names, datasets):
        if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "uif" or dataset.ndim not in (1, 2, 3):
            raise InputError(f"'{name}' holds no positions; choose another dataset.")
    unit = asked.positions_unit or mapped.written_unit(holder, names[0] or "")
    known: PositionUnit | None = next((spelled for spelled in get_args(PositionUnit) if spelled == unit), None)
    columns = slice(None, 2) if asked.positions_columns != "xy" else slice(1, None, -1)
    found = tuple(dataset for dataset in datasets if isinstance(dataset, h5py.Dataset))
    return Rows(found, known, lambda table: table[:, columns])
