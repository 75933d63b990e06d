"""The pictures that can be made of an object: phase, amplitude, both, unwrapped phase, thickness."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ptychogui.gui.views.lengths import lengths
from ptychogui.gui.views.picture import Picture, levels_of
from ptychogui.io.picture import without_ramp
from ptychogui.measure.material import Material, thickness_of_amplitude_m, thickness_of_phase_m
from ptychogui.measure.unwrap import unwrapped, without_plane
from ptychogui.types import Complex, Mask, Real

PerAxis = tuple[float, float]
"""Something in y and x."""
CYCLIC_RAD = 4.5
"""A phase that spans more than this is shown with a cyclic colour map over the full circle."""


@dataclass(frozen=True)
class Wave:
    """An object (Y, X) with its place, the part of it between the positions, and what its pictures depend on."""

    image: Complex
    pixel_m: PerAxis
    origin_m: PerAxis
    use: Mask | None
    wavelength_m: float | None
    remove_ramp: bool
    material: Material

    @property
    def flat(self) -> Complex:
        """The object without its phase ramp, where that is wanted."""
        return without_ramp(self.image, self.use) if self.remove_ramp else self.image

    def picture(self, values: Real | Complex, unit: str = "", colours: str = "grey") -> Picture:
        """Values (Y, X) at the place of the object, ranged over the scanned part."""
        extent = max(self.image.shape[0] * self.pixel_m[0], self.image.shape[1] * self.pixel_m[1])
        length = lengths(extent, min(self.pixel_m))
        return Picture(values, self.pixel_m, self.origin_m, length, unit, colours, levels_of(values, self.use))

    def unwrapped_phase(self) -> Real:
        """The phase without jumps."""
        flat = self.flat
        phase = unwrapped(np.arctan2(flat.imag, flat.real), self.use)
        return without_plane(phase, self.use) if self.remove_ramp else phase


def _phase(wave: Wave) -> Picture:
    flat = wave.flat
    phase = wave.picture(np.arctan2(flat.imag, flat.real), "rad")
    if phase.levels[1] - phase.levels[0] <= CYCLIC_RAD:
        return phase
    return Picture(phase.values, phase.pixel, phase.origin, phase.lengths, "rad", "cyclic", levels=(-math.pi, math.pi))


def _thickness(wave: Wave, thickness_m: Real) -> Picture:
    """A thickness in the unit that reads best."""
    unit = lengths(levels_of(thickness_m, wave.use)[1], 0.0)
    return wave.picture(thickness_m / np.float32(unit.unit_si), unit.symbol, "viridis")


def _by_phase(wave: Wave) -> Picture:
    assert wave.wavelength_m is not None
    phase = wave.unwrapped_phase()
    return _thickness(wave, thickness_of_phase_m(phase, wave.wavelength_m, wave.material.delta, wave.use))


def _by_absorption(wave: Wave) -> Picture:
    assert wave.wavelength_m is not None
    amplitude = np.abs(wave.image)
    return _thickness(wave, thickness_of_amplitude_m(amplitude, wave.wavelength_m, wave.material.beta, wave.use))


@dataclass(frozen=True)
class Kind:
    """One way to look at an object.

    `slow` ones are made beside the window, `of_material` ones need a wavelength, and a ramp can be removed from those
    that `has_ramp`.
    """

    text: str
    title: str
    make: Callable[[Wave], Picture]
    slow: bool = False
    of_material: bool = False
    has_ramp: bool = True


KINDS: dict[str, Kind] = {
    "phase": Kind("Phase", "Object phase", _phase),
    "unwrapped": Kind(
        "Unwrapped",
        "Object phase, unwrapped",
        lambda wave: wave.picture(wave.unwrapped_phase(), "rad"),
        slow=True,
    ),
    "amplitude": Kind("Amplitude", "Object amplitude", lambda wave: wave.picture(np.abs(wave.image)), has_ramp=False),
    "complex": Kind("Complex", "Object, complex", lambda wave: wave.picture(wave.flat)),
    "thickness": Kind("Thickness δ", "Thickness from δ", _by_phase, slow=True, of_material=True),
    "absorption": Kind("Thickness β", "Thickness from β", _by_absorption, of_material=True, has_ramp=False),
}
