"""Recipes in the far field: X-rays through a zone plate, and electrons."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from ptychogui.engine.simulate import objects, probes
from ptychogui.engine.simulate.recipe import Array, Photons, Recipe, Scene, radius_px
from ptychogui.geometry import Geometry, wavelength_of_electron_m, wavelength_of_photon_m
from ptychogui.layout.fermat import spiral
from ptychogui.layout.raster import jittered
from ptychogui.params import Angle, Count, Energy, Fraction, Kilovolts, Length, NonNegative, Positive, SignedLength


class _ZonePlateScan(Recipe):
    """An X-ray zone plate's beam, behind its focus, scanned along a Fermat spiral."""

    frames: Count = 360
    """Number of positions."""
    step_px: Positive = 6.5
    """Distance of neighbouring positions in pixels of the object."""
    energy_eV: Energy = 8700.0
    """Photon energy."""
    distance_m: Length = 2.0
    """Distance from sample to detector."""
    detector_pixel_m: Length = 75e-6
    """Size of a pixel of the detector."""
    aperture: Annotated[float, Field(gt=0, lt=0.5)] = 0.2
    """Radius of the lens's cone on the detector, as a part of the detector's shorter side."""
    probe_px: Positive = 36.0
    """Diameter of the beam on the sample in pixels of the object; the defocus follows from it."""

    def positions_px(self) -> Array:
        """The spiral, or the layout that is given."""
        return self.placed_px(spiral(self.frames, self.step_px), self.geometry())

    def geometry(self) -> Geometry:
        """The optics, with convergence and defocus."""
        d = self.detector_pixel_m
        plain = Geometry(self.shape, wavelength_of_photon_m(self.energy_eV), self.distance_m, (d, d))
        return Geometry(
            self.shape,
            plain.wavelength_m,
            self.distance_m,
            (d, d),
            convergence_rad=self.convergence_rad,
            defocus_m=self.probe_px * min(plain.pixel_m) / (2 * self.convergence_rad),
        )

    @property
    def convergence_rad(self) -> float:
        """Semi-angle of the lens's cone."""
        return self.aperture * min(self.shape) * self.detector_pixel_m / self.distance_m

    def lens(self) -> NDArray[np.complex128]:
        """The beam on the sample."""
        return probes.focused(self.geometry(), stop=0.35, astigmatism_rad=0.4, coma_rad=0.3)


class SiemensFar(_ZonePlateScan):
    """A gold Siemens star, far field: X-rays of 8.7 keV from a zone plate, defocused, along a Fermat spiral."""

    kind: Literal["siemens-far"] = "siemens-far"

    def scene(self, rng: Generator) -> Scene:
        """The star in the zone plate's beam."""
        positions_px = self.positions_px()
        star = objects.gold_star(radius_px(positions_px) + self.probe_px / 4, rng)
        return Scene(self.geometry(), self.lens()[None], positions_px, star)


class TwoModes(_ZonePlateScan):
    """Dead leaves, far field, in a beam that is not quite coherent: two modes that add in intensity."""

    kind: Literal["two-modes"] = "two-modes"
    step_px: Positive = 4.0
    """Distance of neighbouring positions in pixels of the object."""
    probe_px: Positive = 20.0
    """Diameter of the beam on the sample in pixels of the object; the defocus follows from it."""
    weights: tuple[Positive, Positive] = (0.8, 0.2)
    """Parts of the power in the two modes."""
    source_px: tuple[NonNegative, NonNegative] = (0.8, 2.8)
    """Size (y, x) of the source's image on the sample in pixels of the object: what makes the beam incoherent."""

    def scene(self, rng: Generator) -> Scene:
        """The leaves in a beam of two modes."""
        positions_px = self.positions_px()
        modes = probes.orthogonal(probes.source_modes(self.lens(), self.source_px), self.weights)
        leaves = objects.leaves(radius_px(positions_px) + self.probe_px / 4, rng)
        return Scene(self.geometry(), modes, positions_px, leaves)


class Electron(Recipe):
    """Particles in ice, as a 4D-STEM scan with a defocused probe and a dose that such particles survive."""

    kind: Literal["electron"] = "electron"
    photons: Photons = 9e4
    """Electrons in the probe, for each frame."""
    scan_shape: tuple[Count, Count] = (20, 20)
    """Rows and columns of the raster."""
    step_px: Positive = 6.5
    """Step of the raster in pixels of the object."""
    jitter: Fraction = 0.05
    """Random part of each step, as scan coils have it."""
    kV: Kilovolts = 300.0
    """Acceleration voltage in kilovolts."""
    convergence_rad: Annotated[Angle, Field(gt=0)] = 1.03e-3
    """Convergence semi-angle of the probe."""
    defocus_m: SignedLength = 13.5e-6
    """Distance of the sample from the focus."""
    distance_m: Length = 4.5
    """Camera length."""
    detector_pixel_m: Length = 150e-6
    """Size of a pixel of the detector."""
    phase_rad: Positive = 0.25
    """Phase shift of a particle."""

    def scene(self, rng: Generator) -> Scene:
        """The particles under a defocused probe."""
        geometry = Geometry(
            self.shape,
            wavelength_of_electron_m(self.kV),
            self.distance_m,
            (self.detector_pixel_m, self.detector_pixel_m),
            convergence_rad=self.convergence_rad,
            defocus_m=self.defocus_m,
        )
        positions_px = jittered(self.scan_shape, (self.step_px, self.step_px), self.jitter, rng)
        positions_px = self.placed_px(positions_px, geometry)
        probe = probes.focused(geometry, astigmatism_rad=0.3)
        return Scene(
            geometry, probe[None], positions_px, objects.particles(radius_px(positions_px), self.phase_rad, rng)
        )
