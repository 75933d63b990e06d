"""The optics between sample and detector: lengths, and the pixel at the sample that follows from them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

HC_EV_M = 1.239841984332e-6
ELECTRON_REST_EV = 510998.95
LONGEST_OF_ELECTRONS_M = 1e-11


def wavelength_of_photon_m(energy_eV: float) -> float:
    """The wavelength of light of this photon energy."""
    return HC_EV_M / energy_eV


def wavelength_of_electron_m(kV: float) -> float:
    """The relativistic de Broglie wavelength of electrons accelerated by this voltage in kilovolts."""
    kinetic_eV = kV * 1e3
    return HC_EV_M / math.sqrt(kinetic_eV * (kinetic_eV + 2 * ELECTRON_REST_EV))


@dataclass(frozen=True)
class Geometry:
    """The optics between sample and detector; what is not known is None, and then the run works in pixels.

    `detector_pixel_m` (dy, dx) and `shape` (ny, nx) are those of the prepared frames. `given_pixel_m` is the pixel at
    the sample where a file or the user states it; otherwise it follows from the rest. `defocus_m` is counted as each
    field counts it: see `behind_focus_m`.
    """

    shape: tuple[int, int]
    wavelength_m: float | None = None
    distance_m: float | None = None
    detector_pixel_m: tuple[float, float] | None = None
    focus_to_sample_m: float | None = None
    given_pixel_m: tuple[float, float] | None = None
    field: Literal["far", "near"] = "far"
    convergence_rad: float | None = None
    defocus_m: float | None = None

    @property
    def of_electrons(self) -> bool:
        """Whether the wavelength can only be that of electrons (below 10 pm, photons of more than 120 keV)."""
        return self.wavelength_m is not None and self.wavelength_m < LONGEST_OF_ELECTRONS_M

    @property
    def behind_focus_m(self) -> float | None:
        """How far the sample lies behind the focus.

        Of X-rays and light that is the defocus; microscopists of electrons call it positive where the lens is too
        weak and the sample lies before the focus (Kirkland, Advanced Computing in Electron Microscopy).
        """
        if self.defocus_m is None:
            return None
        return -self.defocus_m if self.of_electrons else self.defocus_m

    @property
    def magnification(self) -> float:
        """Fresnel scaling of a cone beam: (focus-to-sample + sample-to-detector) / focus-to-sample.

        Without a focus it is what the pixel at the sample says of a near field, and 1 otherwise.
        """
        if self.focus_to_sample_m is None or self.distance_m is None:
            if self.field == "near" and self.given_pixel_m is not None and self.detector_pixel_m is not None:
                return self.detector_pixel_m[0] / self.given_pixel_m[0]
            return 1.0
        return (self.focus_to_sample_m + self.distance_m) / self.focus_to_sample_m

    @property
    def effective_distance_m(self) -> float | None:
        """The distance of the equivalent parallel beam, z / M."""
        return None if self.distance_m is None else self.distance_m / self.magnification

    @property
    def calibrated(self) -> bool:
        """Whether lengths at the sample are known in metres; if not, one pixel counts as one 'metre'."""
        return self._pixel_m() is not None

    @property
    def pixel_m(self) -> tuple[float, float]:
        """The pixel (dy, dx) at the sample; (1, 1) where nothing is known, so that lengths are pixels."""
        return self._pixel_m() or (1.0, 1.0)

    def _pixel_m(self) -> tuple[float, float] | None:
        if self.given_pixel_m is not None:
            return self.given_pixel_m
        if self.detector_pixel_m is None:
            return None
        if self.field == "near":
            return self.detector_pixel_m[0] / self.magnification, self.detector_pixel_m[1] / self.magnification
        if self.wavelength_m is None or self.distance_m is None:
            return None
        y, x = (self.wavelength_m * self.distance_m / (n * d) for n, d in zip(self.shape, self.detector_pixel_m))
        return y, x

    @property
    def in_cone(self) -> bool:
        """Whether it is a near field in a cone beam, of which focus and distance are known."""
        return self.field == "near" and self.focus_to_sample_m is not None and self.distance_m is not None

    @property
    def pixel_power(self) -> int:
        """With which power of the unknown distance the pixel at the sample grows; see `at_distance`."""
        if self.field == "far":
            return 1 if self._pixel_m() is not None else 0
        return 0 if self.focus_to_sample_m is None else -1

    def at_distance(self, factor: float) -> Geometry:
        """The same with `factor` times the distance that is least certain.

        That is the one from sample to detector; in a cone beam the one from focus to sample, whose change by 1 / factor
        makes `factor` times the magnification and the effective distance in pixels.
        """
        if self.in_cone and self.distance_m is not None:
            return replace(self, focus_to_sample_m=self.distance_m / (self.magnification * factor - 1))
        changes: dict[str, Any] = {}
        if self.distance_m is not None:
            changes["distance_m"] = self.distance_m * factor
        if self.field == "far" and self.given_pixel_m is not None:
            changes["given_pixel_m"] = (self.given_pixel_m[0] * factor, self.given_pixel_m[1] * factor)
        return replace(self, **changes)

    def factor_from(self, other: Geometry) -> float:
        """With which factor `at_distance` makes this geometry of another, whose pixels may be smaller or larger."""
        if self.in_cone and other.in_cone:
            return self.magnification / other.magnification
        if self.distance_m is not None and other.distance_m is not None:
            return self.distance_m / other.distance_m
        if self.given_pixel_m is not None and other.given_pixel_m is not None:  # a far field has one field of view
            return self.given_pixel_m[0] * self.shape[0] / (other.given_pixel_m[0] * other.shape[0])
        return 1.0

    def factor_for(self, part: float) -> float:
        """With which factor `at_distance` makes the distance that is least certain `part` times as long."""
        return (1 + (self.magnification - 1) / part) / self.magnification if self.in_cone else part

    @property
    def depth_of_field_m(self) -> float | None:
        """The depth over which the sample counts as thin: 5.2 dx² / λ (Tsai et al., Opt. Express 24, 29089 (2016))."""
        if self.wavelength_m is None or not self.calibrated:
            return None
        return 5.2 * max(self.pixel_m) ** 2 / self.wavelength_m
