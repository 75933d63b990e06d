"""Writing a Dataset; the suffix of the path chooses the format."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

from ptychogui.io import cxi_writer, files, npz, sidecar
from ptychogui.params import InputError
from ptychogui.types import Dataset

WRITERS: dict[str, Callable[[Dataset, Path], None]] = {".cxi": cxi_writer.write, ".npz": npz.write}


def check_target(path: Path | str) -> None:
    """Raise `InputError` where `write` could not write to `path`, or where it would not be read as it was written."""
    _check_suffix(path)
    files.check_writable(path)
    beside = sidecar.sidecar_path(path)
    if sidecar.set_values(sidecar.read_sidecar(beside)):
        raise InputError(
            f"{beside} would be applied to {Path(path).name} whenever that is read; give the new file another name."
        )


def _check_suffix(path: Path | str) -> None:
    suffix = Path(path).suffix.lower()
    if suffix not in WRITERS:
        names = ", ".join(WRITERS)
        raise InputError(f"{path} cannot be written, since its suffix '{suffix}' is none of the formats {names}.")


def write(dataset: Dataset, path: Path | str) -> None:
    """Write frames, mask, positions, geometry and truth; an older file stays until the new one is whole.

    Raises `InputError` for an unknown suffix and where the path cannot be written.
    """
    for _ in writing_steps(dataset, path):
        pass


def writing_steps(dataset: Dataset, path: Path | str) -> Generator[None, None, None]:
    """What `write` does, with a stop before the new file takes its place: closed there, everything is as it was."""
    _check_suffix(path)
    with files.replacing(Path(path)) as temporary:
        WRITERS[Path(path).suffix.lower()](dataset, temporary)
        yield
