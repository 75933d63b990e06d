"""Frames that lie one after another in a file, and are read when they are asked for."""

from __future__ import annotations

import math
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from ptychogui.params import InputError

_CHUNK_BYTES = 2**24


class StoredFrames:
    """A stack (N, ny, nx) of numbers in C order from byte `offset` of a file; an index chooses frames.

    The file is opened for every read, so any thread may read. A `temporary` file is deleted with the object.
    """

    def __init__(
        self, path: Path, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any], temporary: bool = False
    ) -> None:
        self.path, self.offset, self.shape, self.dtype = path, offset, shape, dtype
        if temporary:
            weakref.finalize(self, path.unlink, missing_ok=True)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any, /) -> NDArray[Any]:
        chosen = np.arange(self.shape[0])[index]
        if np.ndim(chosen) == 0:
            frame: NDArray[Any] = self._read(int(chosen), 1)[0]
            return frame
        if len(chosen) and np.array_equal(chosen, np.arange(chosen[0], chosen[0] + len(chosen))):
            return self._read(int(chosen[0]), len(chosen))
        parts = [self._read(int(number), 1) for number in chosen]
        return np.concatenate(parts) if parts else np.empty((0, *self.shape[1:]), self.dtype)

    def reshape(self, *shape: int) -> StoredFrames:
        """The same numbers as frames of another shape, for a file that is not temporary."""
        return StoredFrames(self.path, self.offset, shape, self.dtype)

    def _read(self, first: int, count: int) -> NDArray[Any]:
        of_frame = math.prod(self.shape[1:])
        begin = self.offset + first * of_frame * self.dtype.itemsize
        values = np.fromfile(self.path, self.dtype, count * of_frame, offset=begin)
        if len(values) < count * of_frame:
            raise InputError(f"{self.path} is shorter than when it was opened; open it again.")
        return values.reshape(count, *self.shape[1:])


def stored_npy(path: Path) -> StoredFrames | None:
    """The numbers of a `.npy` file, which stay on disk; None where they lie in another order than C.

    Raises `ValueError` where the file is shorter than its header says, or holds objects.
    """
    with path.open("rb") as file:
        shape, by_columns, dtype = _header(file)
        offset = file.tell()
    if path.stat().st_size < offset + math.prod(shape) * dtype.itemsize:
        raise ValueError("it is shorter than its header says")
    return None if by_columns else StoredFrames(path, offset, shape, dtype)


def unpacked_npy(stream: IO[bytes]) -> StoredFrames | None:
    """The frames of a `.npy` that is unpacked on the way, in a temporary file; None where they are not in C order.

    Leading axes of length 1 are dropped. Raises `ValueError` as `stored_npy`.
    """
    shape, by_columns, dtype = _header(stream)
    if by_columns:
        return None
    while len(shape) > 3 and shape[0] == 1:
        shape = shape[1:]
    with tempfile.NamedTemporaryFile(prefix="ptychogui-", suffix=".frames", delete=False) as file:
        frames = StoredFrames(Path(file.name), 0, shape, dtype, temporary=True)
        shutil.copyfileobj(stream, file, _CHUNK_BYTES)
    if frames.path.stat().st_size != math.prod(shape) * dtype.itemsize:
        raise ValueError("it is shorter than its header says")
    return frames


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether the order is Fortran's, and type."""
    version = npy_format.read_magic(stream)
    if version == (1, 0):
        shape, by_columns, dtype = npy_format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, by_columns, dtype = npy_format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"its version {version} is not known")
    if dtype.hasobject:
        raise ValueError("it holds objects, which are not read")
    return shape, by_columns and len(shape) > 1, dtype
