"""NumPy's `.npy`: a stack (N, ny, nx), or a raster scan (rows, columns, ny, nx)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.io import files
from ptychogui.io.data import Data
from ptychogui.io.raw import Raw, checked_frames
from ptychogui.params import InputError

NAME = "NumPy array"


def sniff(path: Path) -> bool:
    """Whether the content begins as a `.npy` file does."""
    return files.head(path).startswith(b"\x93NUMPY")


def load(path: Path) -> NDArray[Any]:
    """The array, mapped from disk where it is not compressed. Raises `InputError` where it is damaged."""
    source = files.source(path)
    try:
        array: NDArray[Any] = np.load(source, mmap_mode="r" if isinstance(source, Path) else None, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{path} is a damaged NumPy file ({error}); copy it again.") from error
    return array


def read(path: Path, data: Data) -> Raw:
    """Open a stack of frames; four dimensions give the shape of the scan."""
    array = load(path)
    if array.ndim == 4:
        rows, columns = array.shape[:2]
        frames = array.reshape(rows * columns, *array.shape[2:])
        return Raw(checked_frames(frames, path), scan_shape=(rows, columns))
    return Raw(checked_frames(array, path))
