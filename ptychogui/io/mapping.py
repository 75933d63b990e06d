"""Which dataset of a file is what, for layouts that no reader knows; said once for every layout, and remembered."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import tomli_w
from pydantic import field_validator

from ptychogui.io import files, places
from ptychogui.io.contents import Node
from ptychogui.params import InputError, Params

LengthUnit = Literal["m", "cm", "mm", "um", "nm", "A", "pm"]
LENGTHS_M: dict[str, float] = {"m": 1, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "nm": 1e-9, "A": 1e-10, "pm": 1e-12}


class Mapping(Params):
    """Which dataset of a file of unknown layout is what; names are paths such as /entry/data/frames."""

    frames: str | None = None
    """Dataset with the frames, counts of three axes or four. Without it the mapping is not used; a dataset that holds
    something else, as a sum or a flat, makes no picture."""
    axes: str | None = None
    """What the axes of the frames are, slowest first, one letter each: n frame, or r row and c column of a raster
    scan, y and x of the detector. Unset: nyx, or rcyx for four axes. Axes of length 1 are not counted. Taken the wrong
    way round, patterns are scrambled or transposed."""
    positions: str | None = None
    """Dataset with the positions (y, x) of the frames, two or three columns (or rows), as many as frames. Those of
    another motor, or those that were planned where measured ones are there, blur the picture."""
    positions_y: str | None = None
    """Dataset with the positions' y, where x and y are apart; it holds one number for each frame, as that of x does."""
    positions_x: str | None = None
    """Dataset with the positions' x, where x and y are apart; exchanged with y, the scan is transposed and the picture
    is spoilt."""
    positions_columns: Literal["yx", "xy"] | None = None
    """Order of the columns of the positions. Unset: yx. The wrong one transposes the scan against the frames, and
    nothing but noise or stripes is found."""
    positions_unit: Literal["m", "mm", "um", "nm", "px"] | None = None
    """Unit of the positions. Unset: as the dataset's attribute says, or detected from the step. A wrong one leaves no
    overlap, or puts all frames onto one place."""
    energy: str | None = None
    """Dataset with the photon energy E, of which the first number counts. It sets the wavelength, and so the pixel at
    the sample; a wrong one scales the object against the scan."""
    energy_unit: Literal["eV", "keV", "J"] | None = None
    """Unit of the energy. Unset: as the dataset's attribute says, or eV. Taken for keV, eV make the pixel a thousand
    times too small."""
    wavelength: str | None = None
    """Dataset with the wavelength λ, for files that give it in place of the energy. It sets the pixel at the sample; a
    wrong one scales the object against the scan."""
    wavelength_unit: LengthUnit | None = None
    """Unit of the wavelength. Unset: as the dataset's attribute says, or m. The pixel at the sample is wrong by the
    same factor as the unit."""
    voltage: str | None = None
    """Dataset with the acceleration voltage U of electrons, which sets their wavelength with relativity; for scans with
    electrons only."""
    voltage_unit: Literal["V", "kV"] | None = None
    """Unit of the voltage. Unset: as the dataset's attribute says, or kV. A wrong one makes a wavelength that is far
    off, and no picture."""
    distance: str | None = None
    """Dataset with the distance z from sample to detector, along the beam. It sets the pixel at the sample in the far
    field and the defocus in the near field; a wrong one blurs the picture."""
    distance_unit: LengthUnit | None = None
    """Unit of the distance. Unset: as the dataset's attribute says, or m. The pixel at the sample is wrong by the same
    factor as the unit."""
    detector_pixel: str | None = None
    """Dataset with the size p of a pixel of the detector, one number or (y, x). The pixel at the sample follows from
    it, from the wavelength and the distance."""
    detector_pixel_unit: LengthUnit | None = None
    """Unit of that size. Unset: as the dataset's attribute says, or m. The pixel at the sample is wrong by the same
    factor as the unit."""
    mask: str | None = None
    """Dataset with a mask of the frame's shape, which tells good pixels from those to leave out. Without one, gaps and
    hot pixels of the detector are found by what they count."""
    mask_good: Literal["zero", "nonzero"] | None = None
    """What marks a good pixel in the mask. Unset: what most pixels have. The wrong one uses the bad pixels and no
    others."""
    dark: str | None = None
    """Dataset with dark frames, or their mean, of the frame's shape: counts without beam, which are subtracted. Frames
    that were taken with beam spoil all patterns."""
    probe: str | None = None
    """Dataset with a first guess of the probe, complex, its last two axes y and x; one of another pixel or focus is
    worse than none."""

    @field_validator("axes")
    @classmethod
    def _known_axes(cls, axes: str | None) -> str | None:
        if axes is not None and "".join(sorted(axes)) not in ("nxy", "crxy"):
            raise ValueError(f"'{axes}' is no order of axes: write n, y, x or r, c, y, x once each, slowest first")
        return axes

    @property
    def given(self) -> bool:
        """Whether it says where the frames are."""
        return bool(self.frames)


def fingerprint(nodes: Iterable[Node]) -> str:
    """A short name of a layout: of the paths and ranks of its arrays, whatever their sizes and values."""
    lines = sorted(f"{node.path} {len(node.shape or ())}" for node in nodes if node.kind == "array")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def remembered(nodes: Iterable[Node]) -> Mapping | None:
    """The mapping that was kept for this layout, if any. Raises `InputError` where its file is not understood."""
    path = _place(nodes)
    if not path.is_file():
        return None
    try:
        return Mapping.read(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, InputError) as error:
        raise InputError(f"The mapping kept in {path} is not understood ({error}); delete that file.") from error


def remember(nodes: Iterable[Node], mapping: Mapping) -> Path:
    """Keep a mapping for every file of this layout; returns where."""
    path = _place(nodes)
    files.check_folder(path.parent)
    with files.replacing(path) as temporary:
        temporary.write_text(tomli_w.dumps(mapping.plain()), encoding="utf-8")
    return path


def forget(nodes: Iterable[Node]) -> None:
    """Keep no mapping for this layout any more."""
    _place(nodes).unlink(missing_ok=True)


def _place(nodes: Iterable[Node]) -> Path:
    return places.config_folder() / "mappings" / f"{fingerprint(nodes)}.toml"
