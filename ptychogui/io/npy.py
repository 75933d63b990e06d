"""NumPy's `.npy`: a stack (N, ny, nx), or a raster scan (rows, columns, ny, nx)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.io import files
from ptychogui.io.data import Data
from ptychogui.io.raw import Raw, checked_frames
from ptychogui.io.stored import stored_npy
from ptychogui.params import InputError

NAME = "NumPy array"


def sniff(path: Path) -> bool:
    """Whether the content begins as a `.npy` file does."""
    return files.head(path).startswith(b"\x93NUMPY")


def load(path: Path) -> NDArray[Any]:
    """The array. Raises `InputError` where it is damaged."""
    with _told(path):
        array: NDArray[Any] = np.load(files.source(path), allow_pickle=False)
    return array


def read(path: Path, data: Data) -> Raw:
    """Open a stack of frames, which stays on disk where it is not compressed; four dimensions give the scan's shape."""
    with _told(path):
        frames: Any = None if files.is_compressed(path) else stored_npy(path)
    frames = load(path) if frames is None else frames
    if len(frames.shape) == 4:
        rows, columns = frames.shape[:2]
        return Raw(checked_frames(frames.reshape(rows * columns, *frames.shape[2:]), path), scan_shape=(rows, columns))
    return Raw(checked_frames(frames, path))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, EOFError, OSError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is a damaged NumPy file ({error}); copy it again.") from error
