"""Writing a Dataset; the suffix of the path chooses the format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ptychogui.io import cxi_writer, files, npz
from ptychogui.params import InputError
from ptychogui.types import Dataset

WRITERS: dict[str, Callable[[Dataset, Path], None]] = {".cxi": cxi_writer.write, ".npz": npz.write}


def check_suffix(path: Path | str) -> None:
    """Raise `InputError`, naming the formats that there are, where no writer has the suffix of `path`."""
    suffix = Path(path).suffix.lower()
    if suffix not in WRITERS:
        raise InputError(f"{path} cannot be written: '{suffix}' is none of the formats {', '.join(WRITERS)}.")


def write(dataset: Dataset, path: Path | str) -> None:
    """Write frames, mask, positions, geometry and truth; an older file stays until the new one is whole.

    Raises `InputError` for an unknown suffix and where the path cannot be written.
    """
    check_suffix(path)
    with files.replacing(Path(path)) as temporary:
        WRITERS[Path(path).suffix.lower()](dataset, temporary)
