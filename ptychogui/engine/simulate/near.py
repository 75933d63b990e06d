"""Recipes in the near field: magnified holograms in a cone beam."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from ptychogui.engine.simulate import objects, probes
from ptychogui.engine.simulate.recipe import Photons, Recipe, Scene, Side, radius_px
from ptychogui.geometry import Geometry, wavelength_of_photon_m
from ptychogui.layout.raster import jittered
from ptychogui.params import Count, Energy, Fraction, Length, NonNegative, Positive

_Beam = Annotated[float, Field(gt=0, le=1)]


class _ConeBeamScan(Recipe):
    """Holograms on a raster; the sample stands behind the focus, and the detector sees it magnified."""

    scan_shape: tuple[Count, Count] = (10, 10)
    """Rows and columns of the raster of positions."""
    step_px: Positive = 8.0
    """Distance of neighbouring positions in pixels of the object."""
    jitter: Fraction = 0.25
    """Random part of each step, against the ghosts of a regular raster."""
    energy_eV: Energy = 12000.0
    """Photon energy."""
    distance_m: Length = 1.2
    """Distance from sample to detector."""
    focus_to_sample_m: Length = 0.4e-3
    """Distance from the focus to the sample; with the distance it gives the magnification."""
    detector_pixel_m: Length = 55e-6
    """Size of a pixel of the detector."""

    def geometry(self) -> Geometry:
        """The optics."""
        return Geometry(
            self.shape,
            wavelength_of_photon_m(self.energy_eV),
            self.distance_m,
            (self.detector_pixel_m, self.detector_pixel_m),
            focus_to_sample_m=self.focus_to_sample_m,
            field="near",
        )

    def positions_px(self, rng: Generator) -> NDArray[np.float64]:
        """The raster with its jitter, or the layout that is given."""
        raster = jittered(self.scan_shape, (self.step_px, self.step_px), self.jitter, rng)
        return self.placed_px(raster, self.geometry())


class SiemensNear(_ConeBeamScan):
    """A gold Siemens star as magnified holograms: the speckled cone beam of a focus, near field."""

    kind: Literal["siemens-near"] = "siemens-near"
    shape: tuple[Side, Side] = (160, 160)
    """Rows and columns of the detector."""
    beam: _Beam = 0.4
    """Width of the beam at half its amplitude, as a part of the detector."""
    speckle_rad: NonNegative = 0.6
    """Strength of the diffuser, as the standard deviation of its phase."""
    grain_px: Positive = 6.0
    """Size of the diffuser's grains in pixels of the object."""

    def scene(self, rng: Generator) -> Scene:
        """The star in a speckled beam."""
        geometry, positions_px = self.geometry(), self.positions_px(rng)
        probe = probes.gaussian(geometry, self.beam)
        probe = probes.speckled(probe, geometry, self.speckle_rad, self.grain_px, rng)
        star = objects.gold_star(radius_px(positions_px) + self.beam * min(self.shape) / 4, rng)
        return Scene(geometry, probe[None], positions_px, star)


class GuzziTwinMic(_ConeBeamScan):
    """Cells with a fibre in soft X-rays, as at TwinMic: a CCD's 16-bit frames with a dark series, in a cone beam.

    Guzzi et al., "A parameter refinement method for ptychography based on deep learning concepts",
    Condens. Matter 6, 36 (2021): 1020 eV, a zone plate of 600 µm with outer zones of 50 nm, 36 nm pixels.
    """

    kind: Literal["guzzi-twinmic"] = "guzzi-twinmic"
    photons: Photons = 2e7
    """Counts in the probe, for each frame."""
    shape: tuple[Side, Side] = (256, 256)
    """Rows and columns of the detector, four of its pixels binned to one."""
    scan_shape: tuple[Count, Count] = (8, 8)
    """Rows and columns of the raster of positions."""
    step_px: Positive = 22.0
    """Distance of neighbouring positions in pixels of the object."""
    energy_eV: Energy = 1020.0
    """Photon energy."""
    distance_m: Length = 0.695
    """Distance from sample to detector."""
    focus_to_sample_m: Length = 0.31e-3
    """Distance from the focus to the sample; with the distance it gives the magnification."""
    detector_pixel_m: Length = 80e-6
    """Size of a pixel of the detector, binned."""
    beam: _Beam = 0.6
    """Diameter of the beam, as a part of the detector."""
    dark_count: Count = 20
    """Number of dark frames."""
    dark_level: Positive = 600.0
    """Counts of the dark frames."""
    read_noise: NonNegative = 3.0
    """Standard deviation of the noise of the CCD, in counts."""

    def scene(self, rng: Generator) -> Scene:
        """The cells in the cone of the zone plate."""
        geometry, positions_px = self.geometry(), self.positions_px(rng)
        probe = probes.speckled(probes.annulus(geometry, self.beam, stop=0.3), geometry, 0.3, 12.0, rng)
        cells = objects.fibre_in_cells(radius_px(positions_px) + self.beam * min(self.shape) / 4, rng)
        return Scene(geometry, probe[None], positions_px, cells)

    def dark_frames(self) -> NDArray[np.uint16]:
        """Dark frames (K, ny, nx): an offset that falls along the rows, columns that differ, and read noise."""
        rng = np.random.default_rng([self.seed, 1])
        ny, nx = self.shape
        level = self.dark_level * (1 + 0.1 * np.linspace(0, 1, ny)[:, None] + 0.01 * rng.normal(size=nx)[None, :])
        series = level + self.read_noise * rng.normal(size=(self.dark_count, ny, nx))
        return np.clip(np.rint(series), 0, 65535).astype(np.uint16)
