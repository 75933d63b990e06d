"""What holds for a file where a field of its form is left empty."""

from __future__ import annotations

from collections.abc import Mapping

from ptychogui.geometry import Geometry
from ptychogui.io.geometry import energy_of_eV
from ptychogui.params import format_quantity
from ptychogui.types import Dataset

NOT_KNOWN = "not known"
_VALUES = {
    "distance_m": "distance",
    "detector_pixel_m": "detector pixel",
    "focus_to_sample_m": "focus to sample",
    "convergence_rad": "convergence",
    "defocus_m": "defocus",
    "field": "field",
    "zero_frequency": "zero frequency",
    "centre": "centre",
    "crop": "crop",
    "dark": "dark",
    "mask": "mask",
}
"""Fields of `Data` and the names under which a reader tells what it took for them."""


def in_force(dataset: Dataset | None) -> Mapping[str, str]:
    """For each optional field of `Data` whose value is known, or known to be missing, its text."""
    if dataset is None:
        return {}
    told = {value.name: value.text for value in dataset.values}
    said = {name: told.get(value, NOT_KNOWN) for name, value in _VALUES.items()}
    scan = {} if dataset.positions_known else dict.fromkeys(("scan_shape", "scan_step_m", "positions"), NOT_KNOWN)
    return scan | said | _radiation(dataset.geometry) | {"pixel_m": _pixel(dataset.geometry)}


def _radiation(geometry: Geometry) -> dict[str, str]:
    wavelength_m = geometry.wavelength_m
    if wavelength_m is None:
        return dict.fromkeys(("energy_eV", "wavelength_m", "kV"), NOT_KNOWN)
    wavelength = format_quantity(float(f"{wavelength_m:.5g}"), "m")
    energy_eV = energy_of_eV(wavelength_m)
    if geometry.of_electrons:
        return {"energy_eV": "electrons", "wavelength_m": wavelength, "kV": f"{energy_eV / 1e3:.4g} kV"}
    energy = format_quantity(float(f"{energy_eV:.4g}"), "eV")
    return {"energy_eV": energy, "wavelength_m": wavelength, "kV": "photons"}


def _pixel(geometry: Geometry) -> str:
    if not geometry.calibrated:
        return NOT_KNOWN
    y, x = (format_quantity(float(f"{p:.5g}"), "m") for p in geometry.pixel_m)
    return y if y == x else f"{y} × {x}"
