"""What the positions tell, beside the probe that stood there: overlap, sampling, and the ghosts of a regular raster."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ptychogui.check.doubt import Doubt
from ptychogui.engine.constraints import Constraints
from ptychogui.geometry import Geometry
from ptychogui.io.scan import spread_doubt
from ptychogui.params import InputError, format_quantity
from ptychogui.types import Complex, Dataset, Real

_LEAST_OVERLAP, _NO_OVERLAP = 0.5, 0.2
_REGULAR = 0.03
"""The part of a step by which neighbours of a regular raster differ from it at most."""
_LOOKED_AT = 200
"""Positions whose neighbours are looked at."""
_COARSE = 0.5
"""The part of the probe's diameter from which the steps of a regular raster make ghosts."""
_RIM, _IN_RIM = 0.05, 0.05
"""A rim of this part of the window's side may hold this part of the power."""


def positions(dataset: Dataset) -> Doubt:
    """Whether every frame has a position of its own."""
    count = len(dataset.scan)
    if not dataset.positions_known:
        value = next((v for v in dataset.values if v.name == "positions"), None)
        said = value.doubt if value is not None and value.doubt else "They are not known."
        return Doubt("positions", "wrong", f"{said.rstrip('.')}.", {"frames": count})
    doubt = spread_doubt(dataset.scan, dataset.geometry)
    if doubt:
        return Doubt("positions", "wrong", f"The positions do not fit: {doubt}.", {"frames": count})
    near = 0.05 * np.asarray(dataset.geometry.pixel_m)
    different = len(np.unique(np.rint(dataset.scan.positions_m / near), axis=0))
    figures = {"frames": count, "different_places": different}
    if different < 0.5 * count:
        sentence = f"The {count} frames were taken at only {different} different places; check the positions."
        return Doubt("positions", "wrong" if different < 4 else "doubt", sentence, figures)
    return Doubt("positions", "ok", f"{count} frames, and a position for each.", figures)


def diameter_m(probe: Complex, pixel_m: tuple[float, float]) -> float:
    """The diameter of the disc that is as large as a probe (M, ny, nx): of area (Σ|P|²)² / Σ|P|⁴."""
    power = np.sum(np.abs(probe.astype(np.complex128)) ** 2, 0)
    area_px = float(power.sum() ** 2 / np.square(power).sum())
    return 2 * math.sqrt(area_px * pixel_m[0] * pixel_m[1] / math.pi)


def overlap(dataset: Dataset, diameter_m: float) -> Doubt:
    """How much neighbouring probes share."""
    share, unit = dataset.scan.overlap(diameter_m), "m" if dataset.geometry.calibrated else "px"
    step, wide = (format_quantity(float(f"{v:.3g}"), unit) for v in (dataset.scan.step_m, diameter_m))
    figures = {"overlap": round(share, 3), "step_m": dataset.scan.step_m, "probe_m": diameter_m}
    text = f"Steps of {step} in a probe of about {wide} overlap by {max(share, 0):.0%}"
    if share >= _LEAST_OVERLAP:
        return Doubt("overlap", "ok", f"{text}.", figures)
    advice = "check step, energy and distance, or measure with smaller steps"
    if share < _NO_OVERLAP:
        return Doubt("overlap", "wrong", f"{text}: neighbours hardly touch, so nothing ties them; {advice}.", figures)
    return Doubt("overlap", "doubt", f"{text}, which is little for a sure result; {advice}.", figures)


def raster(dataset: Dataset, diameter_m: float, constraints: Constraints) -> Doubt:
    """Whether a regular raster will leave its own period in the picture (Thibault et al., Science 321, 379 (2008))."""
    irregularity = _irregularity(dataset.scan.positions_m)
    figures = {"irregularity": round(irregularity, 4)}
    if irregularity > _REGULAR:
        return Doubt("raster", "ok", "The positions are no regular raster, so it can leave no ghosts.", figures)
    part = dataset.scan.step_m / diameter_m
    if part <= _COARSE or constraints.raster_pathology.enabled:
        kept = "they overlap well" if part <= _COARSE else "its period is kept out of the picture"
        return Doubt("raster", "ok", f"The positions are a regular raster, but {kept}.", figures)
    return Doubt(
        "raster",
        "doubt",
        f"The positions are a regular raster with steps of {part:.0%} of the probe, which may leave ghosts of its "
        "period in the picture: keep them out of it, or measure along a spiral next time.",
        figures,
        {"constraints.raster_pathology.enabled": True},
    )


def _irregularity(positions_m: NDArray[np.float64]) -> float:
    """How far steps to the four nearest neighbours differ from the most common ones, as a part of the step."""
    if len(positions_m) < 9:
        return 1.0
    distance, index = map(np.asarray, KDTree(positions_m).query(positions_m, k=5))
    middle = np.square(positions_m - np.median(positions_m, 0)).sum(1)
    inner = np.argsort(middle)[: min(max(9, len(positions_m) // 2), _LOOKED_AT)]
    steps = (positions_m[index[inner, 1:]] - positions_m[inner, None]).reshape(-1, 2)
    step = float(np.median(distance[inner, 1]))
    away = np.asarray(KDTree(steps).query(steps, k=len(inner) // 4 + 2)[0])[:, -1]
    return float(np.median(away)) / step if step else 1.0


def sampling(probe: Complex) -> Doubt:
    """Whether the far field's patterns are sampled finely enough: the probe (M, ny, nx) has to fit into the window."""
    rim = _in_rim(np.sum(np.abs(probe.astype(np.complex128)) ** 2, 0))
    figures = {"power_in_rim": round(rim, 4)}
    if rim <= _IN_RIM:
        return Doubt("sampling", "ok", "The probe fits into the window.", figures)
    return Doubt(
        "sampling",
        "doubt",
        f"{rim:.0%} of the probe's power lies at the rim of the window, so the patterns are sampled too coarsely: "
        "bin less, or use a larger distance or a smaller probe.",
        figures,
    )


def wanted_px(geometry: Geometry) -> float:
    """The window in pixels at which the near field's angular spectrum is sampled, λ z / dx².

    (Voelz & Roggemann, Appl. Opt. 48, 6132 (2009).) Raises `InputError` where the optics are not known.
    """
    if geometry.wavelength_m is None or geometry.effective_distance_m is None or not geometry.calibrated:
        raise InputError("A near field needs wavelength, distance and pixel: give energy, distance and detector pixel.")
    return max(geometry.wavelength_m * geometry.effective_distance_m / d**2 for d in geometry.pixel_m)


def wraps(geometry: Geometry, mean: Real, padding_px: int) -> bool:
    """Whether light wraps around: the window is too narrow, and the mean hologram (ny, nx) is lit at its rim."""
    return min(geometry.shape) + 2 * padding_px < wanted_px(geometry) and _in_rim(mean) > _IN_RIM


def _in_rim(power: NDArray[Any]) -> float:
    """The part of the power (ny, nx) in the rim."""
    y, x = (max(1, round(_RIM * n)) for n in power.shape)
    return 1 - float(power[y:-y, x:-x].sum() / power.sum())
