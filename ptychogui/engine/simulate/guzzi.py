"""The synthetic sets of Guzzi et al., Condens. Matter 6, 36 (2021), whose distance and positions are wrong."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from numpy.random import Generator
from pydantic import Field

from ptychogui.engine.simulate import photographs, probes
from ptychogui.engine.simulate.recipe import Photons, Recipe, Scene, Side
from ptychogui.geometry import Geometry
from ptychogui.layout.raster import jittered
from ptychogui.params import Angle, Count, Fraction, Index, Length, NonNegative, Positive


class Guzzi(Recipe):
    """Photographs in a beam of photographs, near field, where the file's distance and all its positions are wrong.

    Guzzi et al., "A parameter refinement method for ptychography based on deep learning concepts", Condens. Matter 6,
    36 (2021), appendix: five sets with distances from 0.065 to 0.2 m, a wavelength of 1 nm, 11 × 11 positions with a
    known jitter and 70 % overlap on an object of about 512 × 512 pixels and 200 µm.
    """

    kind: Literal["guzzi-2021"] = "guzzi-2021"
    photons: Photons = 1e8
    """Counts in the probe, for each frame; the paper has no noise."""
    position_error_px: NonNegative = 10.0
    """Standard deviation of the error of the positions that the file states, in y and in x."""
    distance_error: Annotated[float, Field(gt=-1, lt=10)] = 0.3
    """Relative error of the distance that the file states."""
    distance_m: Length = 0.1
    """Distance from sample to detector."""
    wavelength_m: Length = 1e-9
    """Wavelength."""
    pixel_m: Length = 200e-6 / 512
    """Size of a pixel of the detector, and of the object."""
    padding_px: Index = 0
    """Pixels around the detector in which the wave is computed but not measured. 0 is circular; the paper pads, by
    half of λz/dx² at each side (327 at 0.1 m), and then the detector's edge cuts off detail."""
    scan_shape: tuple[Count, Count] = (11, 11)
    """Rows and columns of the raster of positions."""
    step_px: Positive = 38.4
    """Step of the raster in pixels of the object."""
    jitter: Fraction = 0.1
    """Random part of each step, against the ghosts of a regular raster; it is known."""
    probe_px: Positive = 120.0
    """Diameter of the beam in pixels of the object."""
    object_shape: tuple[Side, Side] = (512, 512)
    """Rows and columns of the object."""
    object_images: tuple[str, str] | None = None
    """Photographs whose greys are the object's amplitude and phase. Unset: pictures made by formula."""
    amplitude: tuple[Fraction, Fraction] = (0.2, 1.0)
    """Amplitude of the darkest and of the lightest grey of the object."""
    phase_rad: tuple[Angle, Angle] = (0.0, math.pi / 2)
    """Phase of the darkest and of the lightest grey of the object."""
    probe_images: tuple[str, str] | None = None
    """Photographs whose greys are the probe's amplitude and phase (the paper: a cat, an astronaut). Unset: pictures
    made by formula."""

    def scene(self, rng: Generator) -> Scene:
        """The object, and a disc of the probe's photographs."""
        geometry = Geometry(self.shape, self.wavelength_m, self.distance_m, (self.pixel_m, self.pixel_m), field="near")
        positions_px = jittered(self.scan_shape, (self.step_px, self.step_px), self.jitter, rng)
        positions_px = self.placed_px(positions_px, geometry)
        sample = photographs.greys(self.object_images, self.object_shape, rng)
        beam = photographs.transmission(
            photographs.greys(self.probe_images, self.shape, rng), self.amplitude, self.phase_rad
        )
        return Scene(
            geometry,
            (beam * probes.disc(self.shape, self.probe_px / 2))[None],
            positions_px,
            photographs.on_canvas(photographs.transmission(sample, self.amplitude, self.phase_rad), 1.0),
            padding_px=self.padding_px,
        )
