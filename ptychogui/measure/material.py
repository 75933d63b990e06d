"""Thickness of a sample of one material from the phase or the amplitude of its object."""

from __future__ import annotations

import numpy as np

from ptychogui.params import Params, Positive
from ptychogui.types import Mask, Real

_VACUUM = 99.5
"""The percentile of phase and amplitude that counts as nothing in the beam."""


class Material(Params):
    """The refractive index n = 1 − δ + iβ of the sample, for maps of its thickness."""

    delta: Positive = 4.8e-5
    """δ, the decrement of the refractive index at the energy of the scan. The phase falls by 2πδt/λ; twice too large a
    δ makes the map half as thick. Gold has about 4.8e-5 at 8 keV; tables: henke.lbl.gov."""
    beta: Positive = 5e-6
    """β, the absorption index at the energy of the scan. The amplitude falls by exp(−2πβt/λ); twice too large a β makes
    the map half as thick. Gold has about 5e-6 at 8 keV; tables: henke.lbl.gov."""


def thickness_of_phase_m(phase: Real, wavelength_m: float, delta: float, use: Mask | None = None) -> Real:
    """The thickness (Y, X) in m, t = −φ λ / (2πδ), of an unwrapped phase in rad (Guzzi et al., Condens. Matter 6, 36).

    The phase is known up to a constant: the highest one in `use` (its 99.5th percentile) counts as vacuum.
    """
    return np.asarray((_highest(phase, use) - phase) * (wavelength_m / (2 * np.pi * delta)), np.float32)


def thickness_of_amplitude_m(amplitude: Real, wavelength_m: float, beta: float, use: Mask | None = None) -> Real:
    """The thickness (Y, X) in m, t = −ln|O| λ / (2πβ); the highest amplitude in `use` counts as vacuum."""
    vacuum = max(_highest(amplitude, use), 1e-30)
    lost = -np.log(np.maximum(amplitude / vacuum, 1e-6))
    return np.asarray(lost * (wavelength_m / (2 * np.pi * beta)), np.float32)


def _highest(values: Real, use: Mask | None) -> float:
    counted = values[np.isfinite(values) if use is None else use & np.isfinite(values)]
    return float(np.percentile(counted, _VACUUM)) if counted.size else 0.0
