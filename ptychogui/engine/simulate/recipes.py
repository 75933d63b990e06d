"""The recipes: what is simulated, each with parameters that `--set` takes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from ptychogui.engine.simulate import objects, probes, scans
from ptychogui.params import Count, Energy, Fraction, Index, Length, NonNegative, Params, Positive, members
from ptychogui.types import Geometry, wavelength_of_photon_m

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """What is measured: `obj(y, x)` gives the transmission at pixels from the middle of the scan."""

    geometry: Geometry
    probe: NDArray[np.complex128]
    positions_px: Array
    obj: Callable[[Array, Array], NDArray[np.complex128]]


class Recipe(Params):
    """What every recipe has."""

    seed: Index = 0
    """The same seed gives the same data."""
    photons: Positive = 1e6
    """Counts in the probe, for each frame."""
    shape: tuple[Count, Count] = (128, 128)
    """Rows and columns of the detector."""
    position_error_px: NonNegative = 0.0
    """Standard deviation of the error of the positions that the file states, in y and x."""
    distance_error: Annotated[float, Field(gt=-1, lt=10)] = 0.0
    """Relative error of the distance that the file states."""

    @abstractmethod
    def scene(self, rng: Generator) -> Scene:
        """Everything that the frames follow from, without noise and errors."""


class _ZonePlateScan(Recipe):
    """An X-ray zone plate's beam, behind its focus, scanned along a Fermat spiral; far field."""

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

    def geometry(self) -> Geometry:
        """The optics, with convergence and defocus."""
        d, wavelength_m = self.detector_pixel_m, wavelength_of_photon_m(self.energy_eV)
        convergence_rad = self.aperture * min(self.shape) * d / self.distance_m
        plain = Geometry(self.shape, wavelength_m, self.distance_m, (d, d))
        defocus_m = self.probe_px * min(plain.pixel_m) / (2 * convergence_rad)
        return Geometry(
            self.shape, wavelength_m, self.distance_m, (d, d), convergence_rad=convergence_rad, defocus_m=defocus_m
        )

    def lens(self, geometry: Geometry, tilt_mode: tuple[float, float] | None = None) -> NDArray[np.complex128]:
        """The beam, or its first incoherent mode, on the sample."""
        assert geometry.wavelength_m is not None
        assert geometry.convergence_rad is not None
        assert geometry.defocus_m is not None
        return probes.focused(
            geometry.shape,
            geometry.pixel_m,
            geometry.wavelength_m,
            geometry.convergence_rad,
            geometry.defocus_m,
            stop=0.35,
            astigmatism_rad=0.4,
            coma_rad=0.3,
            tilt_mode=tilt_mode,
        )

    def positions_px(self) -> Array:
        """The spiral."""
        return scans.fermat_spiral(self.frames, self.step_px)


class SiemensFar(_ZonePlateScan):
    """A gold Siemens star, far field: X-rays of 8.7 keV from a zone plate, defocused, along a Fermat spiral."""

    kind: Literal["siemens-far"] = "siemens-far"

    def scene(self, rng: Generator) -> Scene:
        """See the class."""
        geometry, positions_px = self.geometry(), self.positions_px()
        return Scene(geometry, self.lens(geometry)[None], positions_px, _star(positions_px, rng))


class TwoModes(_ZonePlateScan):
    """Cells, far field, in a beam that is not quite coherent along x: two modes that add in intensity."""

    kind: Literal["two-modes"] = "two-modes"
    weights: tuple[Positive, Positive] = (0.8, 0.2)
    """Parts of the power in the two modes."""

    def scene(self, rng: Generator) -> Scene:
        """See the class."""
        geometry, positions_px = self.geometry(), self.positions_px()
        modes = np.stack([self.lens(geometry), self.lens(geometry, (0.3, 1.0))])
        return Scene(geometry, probes.orthogonal(modes, self.weights), positions_px, _cells(positions_px, rng))


class SiemensNear(Recipe):
    """A gold Siemens star as magnified holograms: the speckled cone beam of a focus, near field."""

    kind: Literal["siemens-near"] = "siemens-near"
    shape: tuple[Count, Count] = (192, 192)
    """Rows and columns of the detector."""
    scan_shape: tuple[Count, Count] = (6, 6)
    """Rows and columns of the raster of positions."""
    step_px: Positive = 12.0
    """Distance of neighbouring positions in pixels of the object."""
    jitter: Fraction = 0.25
    """Random part of each step, against the ghosts of a regular raster."""
    energy_eV: Energy = 12000.0
    """Photon energy."""
    distance_m: Length = 1.2
    """Distance from sample to detector."""
    focus_to_sample_m: Length = 6e-3
    """Distance from the focus to the sample; with the distance it gives the magnification."""
    detector_pixel_m: Length = 55e-6
    """Size of a pixel of the detector."""
    beam: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Width of the beam at half its amplitude, as a part of the detector."""
    speckle_rad: NonNegative = 1.0
    """Strength of the diffuser, as the standard deviation of its phase."""
    grain_px: Positive = 6.0
    """Size of the diffuser's grains in pixels of the object."""

    def scene(self, rng: Generator) -> Scene:
        """See the class."""
        geometry = Geometry(
            self.shape,
            wavelength_of_photon_m(self.energy_eV),
            self.distance_m,
            (self.detector_pixel_m, self.detector_pixel_m),
            focus_to_sample_m=self.focus_to_sample_m,
            field="near",
        )
        probe = _speckled(geometry, self.beam, self.speckle_rad, self.grain_px, rng)
        positions_px = scans.raster(self.scan_shape, (self.step_px, self.step_px), self.jitter, rng)
        reach = self.beam * min(self.shape) / 4 + _radius(positions_px)
        return Scene(geometry, probe, positions_px, _star(positions_px, rng, reach))


def _speckled(
    geometry: Geometry, beam: float, strength_rad: float, grain_px: float, rng: Generator
) -> NDArray[np.complex128]:
    """A beam that fades towards the edges, a little way behind a diffuser."""
    (ny, nx), (dy, dx) = geometry.shape, geometry.pixel_m
    wave = probes.gaussian(geometry.shape, geometry.pixel_m, (beam * ny * dy, beam * nx * dx))
    wave = wave * np.exp(1j * strength_rad * probes.diffuser(geometry.shape, grain_px, rng))
    assert geometry.wavelength_m is not None
    behind_m = (grain_px * dy) ** 2 / geometry.wavelength_m / 4
    return probes.angular_spectrum(wave, geometry.wavelength_m, behind_m, geometry.pixel_m)[None]


def _radius(positions_px: Array) -> float:
    return float(np.hypot(*positions_px.T).max())


def _star(
    positions_px: Array, rng: Generator, radius: float | None = None
) -> Callable[[Array, Array], NDArray[np.complex128]]:
    """A star of gold under a few cells: phase to about 1 rad, absorption of some percent."""
    size = radius or _radius(positions_px) + 8.0

    def obj(y: Array, x: Array) -> NDArray[np.complex128]:
        star, (dust, grains) = objects.siemens_star(y, x, size), objects.cells(y, x, size, rng)
        return objects.transmission(0.12 * star + 0.05 * grains, -0.9 * star - 0.12 * dust)

    return obj


def _cells(positions_px: Array, rng: Generator) -> Callable[[Array, Array], NDArray[np.complex128]]:
    """Cells: phase to about 1 rad, absorption to some ten percent where nuclei and grains are."""
    size = _radius(positions_px) + 8.0

    def obj(y: Array, x: Array) -> NDArray[np.complex128]:
        bodies, grains = objects.cells(y, x, size, rng)
        return objects.transmission(0.03 * bodies + 0.15 * grains, -0.6 * bodies - 0.15 * grains)

    return obj


AnyRecipe = Annotated[SiemensFar | SiemensNear | TwoModes, Field(discriminator="kind")]


def recipes() -> dict[str, type[Recipe]]:
    """Every recipe by its name."""
    return {kind: cls for kind, cls in members(AnyRecipe).items() if issubclass(cls, Recipe)}
