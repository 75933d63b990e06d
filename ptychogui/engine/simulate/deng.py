"""The simulation of Deng's ptychography by complex gradient descent."""

from __future__ import annotations

from typing import Literal

from numpy.random import Generator

from ptychogui.engine.simulate import photographs, probes
from ptychogui.engine.simulate.recipe import Photons, Recipe, Scene, Side
from ptychogui.geometry import Geometry
from ptychogui.layout.raster import jittered
from ptychogui.params import Angle, Count, Fraction, Length, NonNegative, Positive


class Deng(Recipe):
    """Two photographs behind a circular hole in green light, near field: 7 × 7 positions that overlap closely.

    CLDeng02, "Ptychography-imaging-Gradient-descent" (GitHub): the probe is known, so the file holds it.
    """

    kind: Literal["deng-gd"] = "deng-gd"
    photons: Photons = 1e9
    """Counts in the probe, for each frame; the original has no noise."""
    shape: tuple[Side, Side] = (256, 256)
    """Rows and columns of the detector."""
    scan_shape: tuple[Count, Count] = (7, 7)
    """Rows and columns of the raster of positions."""
    step_px: Positive = 10.0
    """Step of the raster in pixels of the object."""
    wavelength_m: Length = 532e-9
    """Wavelength."""
    distance_m: Length = 0.1
    """Distance from sample to detector."""
    pixel_m: Length = 3e-6
    """Size of a pixel of the detector, and of the object."""
    hole: Fraction = 0.3
    """Radius of the hole, as a part of the detector's shorter side."""
    hole_distance_m: NonNegative = 0.01
    """Distance in metres from the hole to the sample."""
    object_shape: tuple[Side, Side] = (512, 512)
    """Rows and columns of the object."""
    object_images: tuple[str, str] | None = None
    """Photographs whose greys are the object's amplitude and phase (the original: lake, FAI). Unset: pictures made by
    formula."""
    amplitude: tuple[Fraction, Fraction] = (0.0, 1.0)
    """Amplitude of the darkest and of the lightest grey."""
    phase_rad: tuple[Angle, Angle] = (0.0, 1.0)
    """Phase of the darkest and of the lightest grey."""

    def scene(self, rng: Generator) -> Scene:
        """The photographs behind the hole."""
        pixel_m = (self.pixel_m, self.pixel_m)
        geometry = Geometry(self.shape, self.wavelength_m, self.distance_m, pixel_m, field="near")
        hole = probes.disc(self.shape, self.hole * min(self.shape)).astype(complex)
        probe = probes.angular_spectrum(hole, self.wavelength_m, self.hole_distance_m, pixel_m)[None]
        sample = photographs.greys(self.object_images, self.object_shape, rng)
        return Scene(
            geometry,
            probe,
            self.placed_px(jittered(self.scan_shape, (self.step_px, self.step_px), 0.0, rng), geometry),
            photographs.on_canvas(photographs.transmission(sample, self.amplitude, self.phase_rad), 1.0),
            guess=probe,
        )
