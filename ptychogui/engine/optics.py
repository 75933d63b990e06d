"""Propagation from the plane behind the sample to the detector; both kinds conserve energy."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from ptychogui.geometry import Geometry
from ptychogui.params import InputError

Ramps = tuple[Tensor, Tensor]


class Propagator(Protocol):
    """A unitary map of waves (…, ny, nx); `ramps` are those that moved the probes, None for whole-pixel positions.

    `transfer` replaces the near field's transfer function where the distance is an unknown.
    """

    def forward(self, wave: Tensor, ramps: Ramps | None, transfer: Tensor | None = None) -> Tensor:
        """From the sample to the detector."""

    def adjoint(self, wave: Tensor, ramps: Ramps | None, transfer: Tensor | None = None) -> Tensor:
        """From the detector to the sample."""


class FarField:
    """Fraunhofer diffraction; a shift of the exit wave does not change the pattern, so ramps do not matter."""

    def forward(self, wave: Tensor, ramps: Ramps | None, transfer: Tensor | None = None) -> Tensor:
        """From the sample to the detector."""
        out: Tensor = torch.fft.fft2(wave, norm="ortho")
        return out

    def adjoint(self, wave: Tensor, ramps: Ramps | None, transfer: Tensor | None = None) -> Tensor:
        """From the detector to the sample."""
        out: Tensor = torch.fft.ifft2(wave, norm="ortho")
        return out


class NearField:
    """Angular-spectrum propagation (Guzzi et al., Condens. Matter 6, 36 (2021), Eqs. 7 and 8), circular on its window.

    The probe was moved by a sub-pixel shift instead of the object, which moves the hologram too; the conjugate ramp
    moves it back. `phase` (ny, nx) is that of the transfer function, `fresnel` is λz / 4π dx² along y and x.
    """

    def __init__(self, phase: Tensor, fresnel: tuple[float, float], dtype: torch.dtype) -> None:
        self.phase, self.fresnel, self.dtype = phase, fresnel, dtype
        self.transfer = self.at(torch.ones((), dtype=torch.float64, device=phase.device))

    def at(self, distance: Tensor) -> Tensor:
        """The transfer function at a distance (0-d), in units of the one that the geometry states; differentiable."""
        phase = self.phase * distance
        return torch.polar(torch.ones_like(phase), phase).to(self.dtype)

    def canvas_phase(self, shape: tuple[int, ...]) -> Tensor:
        """The phase of the transfer function, paraxially, on a canvas (…, Y, X)."""
        fy = torch.fft.fftfreq(shape[-2], dtype=torch.float64, device=self.phase.device)[:, None]
        fx = torch.fft.fftfreq(shape[-1], dtype=torch.float64, device=self.phase.device)[None, :]
        curvature: Tensor = fy.square() * self.fresnel[0] + fx.square() * self.fresnel[1]
        return curvature * (-4 * torch.pi**2)

    def forward(self, wave: Tensor, ramps: Ramps | None, transfer: Tensor | None = None) -> Tensor:
        """From the sample to the detector."""
        out: Tensor = torch.fft.ifft2(torch.fft.fft2(wave).mul_(self._filter(wave, ramps, transfer)))
        return out

    def adjoint(self, wave: Tensor, ramps: Ramps | None, transfer: Tensor | None = None) -> Tensor:
        """From the detector to the sample."""
        out: Tensor = torch.fft.ifft2(torch.fft.fft2(wave).mul_(self._filter(wave, ramps, transfer).conj()))
        return out

    def _filter(self, wave: Tensor, ramps: Ramps | None, transfer: Tensor | None) -> Tensor:
        transfer = self.transfer if transfer is None else transfer
        if ramps is None:
            return transfer
        moved = transfer * ramps[0].conj() * ramps[1].conj()
        return moved[:, None] if wave.ndim == 4 else moved


def propagation_phase(
    shape: tuple[int, int], pixel_m: tuple[float, float], wavelength_m: float, distance_m: float
) -> Tensor:
    """The phase of the angular spectrum, k z (√(1 − (λf)²) − 1), float64, zero frequency first.

    Evanescent frequencies, which no detector in the near field's sense sees, pass unchanged so that the map stays
    unitary.
    """
    fy = torch.fft.fftfreq(shape[0], pixel_m[0], dtype=torch.float64)[:, None] * wavelength_m
    fx = torch.fft.fftfreq(shape[1], pixel_m[1], dtype=torch.float64)[None, :] * wavelength_m
    sine2 = (fy.square() + fx.square()).clamp(max=1.0)
    # √(1 − s²) − 1 written so that it keeps its digits for small angles
    phase: Tensor = 2 * torch.pi * distance_m / wavelength_m * (-sine2 / (torch.sqrt(1 - sine2) + 1))
    return phase


def propagator(geometry: Geometry, shape: tuple[int, int], device: torch.device, dtype: torch.dtype) -> Propagator:
    """The propagator of a geometry on windows of `shape`.

    Raises `InputError` where a near field lacks its wavelength, distance or pixel.
    """
    if geometry.field == "far":
        return FarField()
    distance_m = geometry.effective_distance_m
    if geometry.wavelength_m is None or distance_m is None or not geometry.calibrated:
        raise InputError(
            "A near field needs wavelength, distance and detector pixel: give data.energy_eV, data.distance_m and "
            "data.detector_pixel_m."
        )
    phase = propagation_phase(shape, geometry.pixel_m, geometry.wavelength_m, distance_m)
    y, x = (geometry.wavelength_m * distance_m / (4 * torch.pi * d**2) for d in geometry.pixel_m)
    return NearField(phase.to(device), (y, x), dtype)
