"""Writing a designed field: HDF5 or TIFF by the suffix, and pictures of what it is and what it makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import tifffile
from PIL import Image

from ptychogui.io import files
from ptychogui.params import InputError
from ptychogui.types import Complex, Real

_SUFFIXES = (".h5", ".hdf5", ".tif", ".tiff")


@dataclass(frozen=True)
class Designed:
    """A field (ny, nx), the picture of intensities that it makes, the target, and the parameters as TOML."""

    field: Complex
    picture: Real
    target: Real
    pixel_m: float
    settings: str


def check_design_target(path: Path | str) -> None:
    """Raise `InputError` where a design could not be written to `path`."""
    if Path(path).suffix.lower() not in _SUFFIXES:
        raise InputError(f"{path} is no place for a design: give a file that ends in {', '.join(_SUFFIXES)}.")
    files.check_writable(path)


def write_design(designed: Designed, path: Path | str) -> tuple[Path, ...]:
    """Write the field, and amplitude, phase and picture as PNG beside it; returns the files.

    In TIFF amplitude, phase and picture are three float32 pages. In PNG the amplitude goes from black to its largest,
    the phase from −π to π, the picture from 0 to the target's largest. Raises `InputError` where it cannot be written.
    """
    path = Path(path)
    check_design_target(path)
    amplitude, phase = np.abs(designed.field), np.angle(designed.field)
    with files.replacing(path) as temporary:
        if path.suffix.lower() in (".h5", ".hdf5"):
            _hdf5(designed, temporary)
        else:
            pages = np.stack([amplitude, phase, designed.picture]).astype(np.float32)
            tifffile.imwrite(temporary, pages, photometric="minisblack", description=designed.settings)
    written = [path]
    for name, grey in (
        ("amplitude", amplitude / max(float(amplitude.max()), 1e-30)),
        ("phase", (phase + np.pi) / (2 * np.pi)),
        ("picture", designed.picture / float(designed.target.max())),
    ):
        written.append(path.with_name(f"{path.stem}_{name}.png"))
        with files.replacing(written[-1]) as temporary:
            Image.fromarray((np.clip(grey, 0, 1) * 255).round().astype(np.uint8)).save(temporary, format="PNG")
    return tuple(written)


def _hdf5(designed: Designed, path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["field"], file["picture"], file["target"] = designed.field, designed.picture, designed.target
        file["pixel_m"], file["settings"] = designed.pixel_m, designed.settings
        for name in ("field", "picture", "target"):
            file[name].attrs["pixel_m"] = designed.pixel_m
