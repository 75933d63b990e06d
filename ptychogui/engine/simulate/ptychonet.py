"""The simulations with which PtychoNet was trained and judged."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ptychogui.engine.simulate import photographs, probes
from ptychogui.engine.simulate.recipe import Photons, Recipe, Scene, Side
from ptychogui.geometry import Geometry, wavelength_of_photon_m
from ptychogui.layout.fermat import spiral
from ptychogui.layout.raster import jittered
from ptychogui.params import Angle, Count, Energy, Fraction, Length, Positive

Array = NDArray[np.float64]


class _PtychoNet(Recipe):
    """Two photographs as amplitude and phase in a known probe, far field; the papers have no noise."""

    photons: Photons = 1e9
    """Counts in the probe, for each frame; the papers have no noise."""
    energy_eV: Energy = 8000.0
    """Photon energy; the papers count in pixels."""
    distance_m: Length = 2.0
    """Distance from sample to detector."""
    detector_pixel_m: Length = 75e-6
    """Size of a pixel of the detector."""
    object_images: tuple[str, str] | None = None
    """Photographs whose greys are the object's amplitude and phase. Unset: pictures made by formula."""
    amplitude: tuple[Fraction, Fraction] = (0.5, 1.0)
    """Amplitude of the darkest and of the lightest grey."""
    phase_rad: tuple[Angle, Angle] = (-math.pi / 3, 0.0)
    """Phase of the darkest and of the lightest grey."""

    @property
    def geometry(self) -> Geometry:
        """The optics."""
        pixel_m = (self.detector_pixel_m, self.detector_pixel_m)
        return Geometry(self.shape, wavelength_of_photon_m(self.energy_eV), self.distance_m, pixel_m)

    def measured(
        self, probe: NDArray[np.complex128], positions_px: Array, extent_px: tuple[int, int], rng: Generator
    ) -> Scene:
        """The photographs over `extent_px` (Y, X) pixels in a probe (ny, nx) that the file holds."""
        values = photographs.greys(self.object_images, extent_px, rng)
        picture = photographs.transmission(values, self.amplitude, self.phase_rad)
        placed = self.placed_px(positions_px, self.geometry)
        return Scene(self.geometry, probe[None], placed, photographs.on_canvas(picture, 1.0), guess=probe[None])


class PtychoNetGrid(_PtychoNet):
    """Photographs in a Gaussian beam with a flat phase: 6 × 6 positions, their windows just inside the object.

    The report on PtychoNet and PtychoNet+ has steps of 20, 40 and 60 pixels.
    """

    kind: Literal["ptychonet-grid"] = "ptychonet-grid"
    scan_shape: tuple[Count, Count] = (6, 6)
    """Rows and columns of the raster of positions."""
    step_px: Positive = 60.0
    """Step of the raster in pixels of the object."""
    sigma_px: Positive = 30.0
    """Standard deviation of the probe's amplitude, in pixels."""

    def scene(self, rng: Generator) -> Scene:
        """The photographs in the Gaussian beam."""
        positions = jittered(self.scan_shape, (self.step_px, self.step_px), 0.0, rng)
        extent = [math.ceil((n - 1) * self.step_px) + side for n, side in zip(self.scan_shape, self.shape)]
        y, x = probes.places(self.shape)
        probe = np.exp(-(y**2 + x**2) / (2 * self.sigma_px**2)).astype(np.complex128)
        return self.measured(probe, positions, (extent[0], extent[1]), rng)


class _Disc(_PtychoNet):
    """A disc of light, its phase curved as behind a lens and a little astigmatic; nearly nothing around it."""

    object_shape: tuple[Side, Side] = (478, 480)
    """Rows and columns of the object."""
    diameter_px: Positive = 42.0
    """Diameter of the disc in pixels; the paper has discs that overlap by 60 % at steps of 17 pixels."""
    curvature_rad: Angle = 3.0
    """Phase at the rim of the disc, against its middle; the paper shows its probe without a figure."""

    def probe(self) -> NDArray[np.complex128]:
        """The disc (ny, nx)."""
        y, x = (axis / (self.diameter_px / 2) for axis in probes.places(self.shape))
        radius = np.hypot(y, x)
        light = 0.5 * (1 - np.tanh((radius - 1) * self.diameter_px / 8))
        phase = self.curvature_rad * (radius**2 + 0.2 * (y**2 - x**2) + 0.1 * x * y)
        result: NDArray[np.complex128] = light * np.exp(-1j * phase)
        return result


class PtychoNetFermat(_Disc):
    """Photographs in a disc of light, on a Fermat spiral of 354 positions.

    Guan & Tsai, PtychoNet (BMVC 2019), section 5.1; the paper draws its probe without figures.
    """

    kind: Literal["ptychonet-fermat"] = "ptychonet-fermat"
    frames: Count = 354
    """Positions of the spiral."""

    def scene(self, rng: Generator) -> Scene:
        """The photographs along the spiral, which fills the object up to the windows' half."""
        room = np.array(self.object_shape) - self.shape
        step = math.sqrt(max(float(np.prod(room)), 1.0) / self.frames)
        points = spiral(4 * self.frames, step)
        inside = (np.abs(points) <= room / 2).all(1)
        return self.measured(self.probe(), points[inside][: self.frames], self.object_shape, rng)


class PtychoNetMesh(_Disc):
    """Photographs in a disc of light, on 5 × 5 points of a mesh of 20 × 20: windows overlap by a third, discs not.

    Guan & Tsai, PtychoNet (BMVC 2019), section 5.4.
    """

    kind: Literal["ptychonet-mesh"] = "ptychonet-mesh"
    scan_shape: tuple[Count, Count] = (5, 5)
    """Rows and columns of the positions; (20, 20) with a step of 17 is the whole mesh."""
    step_px: Positive = 85.0
    """Step in pixels of the object."""

    def scene(self, rng: Generator) -> Scene:
        """The photographs at the points of the mesh."""
        positions = jittered(self.scan_shape, (self.step_px, self.step_px), 0.0, rng)
        return self.measured(self.probe(), positions, self.object_shape, rng)
