"""The far-field and near-field simulations of Kandel et al., Opt. Express 27, 18653 (2019)."""

from __future__ import annotations

import math
from typing import Literal

from numpy.random import Generator

from ptychogui.engine.simulate import photographs, probes
from ptychogui.engine.simulate.objects import Transmission
from ptychogui.engine.simulate.recipe import Photons, Recipe, Scene, Side
from ptychogui.geometry import Geometry, wavelength_of_photon_m
from ptychogui.layout.raster import jittered
from ptychogui.params import Angle, Count, Energy, Fraction, Length, NonNegative, Positive


class _Kandel(Recipe):
    """Two photographs as amplitude and phase of an object with an end, on a raster in X-rays of 8.7 keV."""

    scan_shape: tuple[Count, Count] = (22, 22)
    """Rows and columns of the raster of positions."""
    step_px: Positive = 6.0
    """Step of the raster in pixels of the object."""
    energy_eV: Energy = 8700.0
    """Photon energy."""
    object_shape: tuple[Side, Side] = (128, 128)
    """Rows and columns of the object."""
    object_images: tuple[str, str] | None = None
    """Photographs whose greys are the object's amplitude and phase (the paper: Mandrill, Cameraman). Unset: pictures
    made by formula."""
    amplitude: tuple[Fraction, Fraction] = (0.2, 1.0)
    """Amplitude of the darkest and of the lightest grey."""
    phase_rad: tuple[Angle, Angle] = (0.0, math.pi / 2)
    """Phase of the darkest and of the lightest grey."""
    outside: Fraction = 1.0
    """Transmission around the object, which the paper leaves open: 1 is air, 0 an opaque frame."""

    def picture(self, rng: Generator) -> Transmission:
        """The object."""
        values = photographs.greys(self.object_images, self.object_shape, rng)
        return photographs.on_canvas(photographs.transmission(values, self.amplitude, self.phase_rad), self.outside)


class KandelFar(_Kandel):
    """Two photographs in the fringes of a square aperture, far field: a raster of 22 × 22 with steps of 6 pixels.

    Kandel et al., Opt. Express 27, 18653 (2019), section 3.3. The paper begins with the aperture itself as its probe,
    without saying where it stands; the file holds it as far behind the aperture as `guess_m` says.
    """

    kind: Literal["kandel-2019-far"] = "kandel-2019-far"
    shape: tuple[Side, Side] = (64, 64)
    """Rows and columns of the detector."""
    distance_m: Length = 14.6
    """Distance from sample to detector."""
    detector_pixel_m: Length = 55e-6
    """Size of a pixel of the detector."""
    aperture_m: Length = 7e-6
    """Side of the square aperture."""
    aperture_distance_m: Length = 0.15
    """Distance from the aperture to the sample."""
    guess_m: NonNegative = 0.1
    """Distance in metres behind the aperture for which the file's guess of the probe holds; 0 is the paper's start."""

    def scene(self, rng: Generator) -> Scene:
        """The photographs behind the aperture."""
        pixel_m = (self.detector_pixel_m, self.detector_pixel_m)
        geometry = Geometry(self.shape, wavelength_of_photon_m(self.energy_eV), self.distance_m, pixel_m)
        return Scene(
            geometry,
            probes.square_aperture(geometry, self.aperture_m, self.aperture_distance_m)[None],
            self.placed_px(jittered(self.scan_shape, (self.step_px, self.step_px), 0.0, rng), geometry),
            self.picture(rng),
            extent_px=self.object_shape,
            guess=probes.square_aperture(geometry, self.aperture_m, self.guess_m)[None],
        )


class KandelNear(_Kandel):
    """Two photographs in the speckle of a diffuser, near field: 25 holograms of 512 × 512 pixels.

    Kandel et al., Opt. Express 27, 18653 (2019), section 4.1. The paper's steps of 10 µm are not its 44 pixels, nor is
    its beam of 19 µm its 50 pixels; the pixels are taken. Of the diffuser it says no more than that it makes speckle:
    here the sample lies in the focal plane of a lens behind it, lit as brightly and as far as in the paper's figure 4.
    """

    kind: Literal["kandel-2019-near"] = "kandel-2019-near"
    photons: Photons = 1e4 * 512**2
    """Counts in the probe, for each frame; the paper has 10⁴ a pixel."""
    shape: tuple[Side, Side] = (512, 512)
    """Rows and columns of the detector."""
    scan_shape: tuple[Count, Count] = (5, 5)
    """Rows and columns of the raster of positions."""
    step_px: Positive = 44.0
    """Step of the raster in pixels of the object."""
    object_shape: tuple[Side, Side] = (192, 192)
    """Rows and columns of the object."""
    distance_m: Length = 0.047
    """Distance from sample to detector."""
    detector_pixel_m: Length = 0.6e-6
    """Size of a pixel of the detector, and of the object."""
    beam_px: Positive = 50.0
    """Width of the Gaussian beam on the diffuser at half its amplitude, in pixels: the wider, the finer the speckle."""
    speckle_rad: NonNegative = 2.0
    """Strength of the diffuser, as the standard deviation of its phase."""
    grain_px: Positive = 6.0
    """Size of the diffuser's grains in pixels: the finer, the wider the beam on the sample."""

    def scene(self, rng: Generator) -> Scene:
        """The photographs in the speckle."""
        d = self.detector_pixel_m
        wavelength_m = wavelength_of_photon_m(self.energy_eV)
        geometry = Geometry(self.shape, wavelength_m, self.distance_m, (d, d), field="near")
        beam = probes.gaussian(geometry, self.beam_px / min(self.shape))
        return Scene(
            geometry,
            probes.speckle(beam, self.speckle_rad, self.grain_px, rng)[None],
            self.placed_px(jittered(self.scan_shape, (self.step_px, self.step_px), 0.0, rng), geometry),
            self.picture(rng),
            extent_px=self.object_shape,
        )
