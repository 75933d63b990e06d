"""Values in the header of a stream: what an instrument says of itself, checked, as none of it is to be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from ptychogui.io.raw import PositionUnit
from ptychogui.types import Positions

_ANGSTROM_M = 1e-10
_OURS = ("distance_m", "wavelength_m", "energy_eV", "focus_to_sample_m", "convergence_rad")
_PAIRS = ("detector_pixel_m", "pixel_m")
_LARGEST = 1e30
"""No value of optics is larger in SI."""
_MOST = 2**53
"""A count of anything is below: it is a float without loss, too."""


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it maps names to values; empty otherwise."""
    return value if isinstance(value, dict) else {}


def positive(value: object) -> float | None:
    """A number above zero; None for anything else: instruments write 0 for what they do not know."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 < value < _LARGEST else None


def whole(value: object) -> int | None:
    """A number of something: an integer from 0; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST else None


def optics(said: Mapping[str, Any], distance: object, wavelength_A: object, energy_eV: object) -> dict[str, Any]:
    """Values by the names of the fields of `Data`, from the header of a detector's series (`said`)."""
    found: dict[str, Any] = {}
    if metres := positive(distance):
        found["distance_m"] = metres
    if angstrom := positive(wavelength_A):
        found["wavelength_m"] = angstrom * _ANGSTROM_M
    elif energy := positive(energy_eV):
        found["energy_eV"] = energy
    if (dy := positive(said.get("y_pixel_size", said.get("pixel_size_y")))) and (
        dx := positive(said.get("x_pixel_size", said.get("pixel_size_x")))
    ):
        found["detector_pixel_m"] = dy, dx
    if (y := positive(said.get("beam_center_y"))) and (x := positive(said.get("beam_center_x"))):
        found["centre"] = y, x
    return found


def added(user_data: object) -> dict[str, Any]:
    """The same from what a user adds to a header: a mapping with such names, of which others are left alone."""
    given = mapping(user_data)
    found: dict[str, Any] = {name: value for name in _OURS if (value := positive(given.get(name)))}
    for name in _PAIRS:
        values = given.get(name)
        if isinstance(values, list | tuple) and len(values) == 2 and all(map(positive, values)):
            found[name] = float(values[0]), float(values[1])
    if given.get("field") in ("far", "near"):
        found["field"] = given["field"]
    defocus = given.get("defocus_m")
    if isinstance(defocus, int | float) and abs(defocus) < _LARGEST:
        found["defocus_m"] = float(defocus)
    return found


def positions_unit(user_data: object) -> PositionUnit:
    """The unit of the positions, as a user adds it to a header; metres where nothing is said."""
    said: Any = mapping(user_data).get("positions_unit")
    unit: PositionUnit = said if said in get_args(PositionUnit) else "m"
    return unit


def planned(user_data: object) -> Positions | None:
    """The planned positions (N, 2) of all frames, as a user adds them to a header: [[y, x], …]."""
    return listed(mapping(user_data).get("positions_m"))


def listed(values: object) -> Positions | None:
    """Pairs (N, 2) of finite numbers; None for anything else."""
    if not isinstance(values, list | tuple):
        return None
    try:
        array = np.asarray(values, np.float64)
    except (ValueError, TypeError, OverflowError):
        return None
    return array if array.ndim == 2 and array.shape[1] == 2 and np.isfinite(array).all() else None


def position(user_data: object) -> tuple[float, float] | None:
    """The position (y, x) of one frame, as a user adds it to a frame: `position_m`."""
    match mapping(user_data).get("position_m"):
        case [int() | float() as y, int() | float() as x] if abs(y) < _LARGEST and abs(x) < _LARGEST:
            return float(y), float(x)
    return None
