"""Objects made by formula: how thick each material is at any point, with edges that a pixel can hold.

`y` and `x` are pixels from the middle of the scan, `radius` is that of the scanned area.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import erf

Array = NDArray[np.float64]
Transmission = Callable[[Array, Array], NDArray[np.complex128]]

EDGE_PX = 0.8
"""Width (σ) of an edge: sharp to the eye, and so smooth that sampling it loses next to nothing."""


def transmission(absorption: Array, phase_rad: Array) -> NDArray[np.complex128]:
    """exp(−absorption + i phase): a plane wave behind the sample."""
    result: NDArray[np.complex128] = np.exp(-absorption + 1j * phase_rad)
    return result


def inside(distance_px: Array) -> Array:
    """1 inside, 0 outside, where `distance_px` from the border is positive inside; the border is an error function."""
    result: Array = 0.5 * (1 + erf(distance_px / (np.sqrt(2) * EDGE_PX)))
    return result


def disc(y: Array, x: Array, centre: tuple[float, float], radius: float) -> Array:
    """A disc; all lengths in pixels."""
    return inside(radius - np.hypot(y - centre[0], x - centre[1]))


def ellipse(y: Array, x: Array, centre: tuple[float, float], radii: tuple[float, float], angle_rad: float) -> Array:
    """An ellipse with its first half axis turned by an angle; lengths in pixels."""
    v, u = y - centre[0], x - centre[1]
    a = (v * np.cos(angle_rad) + u * np.sin(angle_rad)) / radii[0]
    b = (u * np.cos(angle_rad) - v * np.sin(angle_rad)) / radii[1]
    r = np.hypot(a, b)
    return inside((1 - r) * min(radii))


def siemens_star(y: Array, x: Array, radius: float, spokes: int = 24) -> Array:
    """A Siemens star off the centre, in rings with gaps as in test patterns, and a few discs beside it; from 0 to 1."""
    v, u = y - 0.07 * radius, x + 0.11 * radius
    r, angle = np.hypot(v, u), np.arctan2(v, u)
    star = inside(r / spokes * np.sin(spokes * (angle + 0.1)))
    for gap in (0.3, 0.55):
        star = star * (1 - inside(0.02 * radius + 1 - np.abs(r - gap * radius)))
    star = star * inside(0.8 * radius - r)
    marks = ((-0.72, 0.62, 0.13), (-0.55, 0.86, 0.07), (0.9, -0.35, 0.09))
    return star + sum(disc(y, x, (cy * radius, cx * radius), size * radius) for cy, cx, size in marks)


def cells(y: Array, x: Array, radius: float, rng: Generator) -> tuple[Array, Array]:
    """Cells (first) and the nuclei and grains inside them (second), strewn over the scanned area; values from 0."""
    bodies, grains = np.zeros(np.broadcast_shapes(y.shape, x.shape)), np.zeros(np.broadcast_shapes(y.shape, x.shape))
    for _ in range(70):
        centre, size = rng.uniform(-1.1, 1.1, 2) * radius, rng.uniform(0.1, 0.2) * radius
        angle, aspect = rng.uniform(0, np.pi), rng.uniform(0.6, 1)
        bodies += ellipse(y, x, (centre[0], centre[1]), (size, aspect * size), angle) * rng.uniform(0.3, 0.7)
        nucleus = centre + rng.uniform(-0.3, 0.3, 2) * size
        grains += ellipse(y, x, (nucleus[0], nucleus[1]), (0.4 * size, 0.3 * size), angle) * rng.uniform(0.5, 1)
        for _ in range(4):
            grain = centre + rng.uniform(-0.6, 0.6, 2) * aspect * size
            grains += disc(y, x, (grain[0], grain[1]), rng.uniform(1.0, 0.1 * size + 1.5))
    return bodies, grains


def dead_leaves(y: Array, x: Array, radius: float, rng: Generator) -> tuple[Array, Array]:
    """Discs that fall on one another and hide what is below: two independent greys from 0 to 1, as of a photograph."""
    first, second = (np.full(np.broadcast_shapes(y.shape, x.shape), 0.5) for _ in range(2))
    smallest, largest = 2.0, max(0.5 * radius, 4.0)
    for _ in range(400):
        size = 1 / np.sqrt(rng.uniform(1 / largest**2, 1 / smallest**2))
        cy, cx = rng.uniform(-1.3, 1.3, 2) * radius
        leaf = disc(y, x, (cy, cx), size)
        first, second = first + leaf * (rng.uniform() - first), second + leaf * (rng.uniform() - second)
    return first, second


def gold_star(radius: float, rng: Generator) -> Transmission:
    """A star of gold under a few cells: phase to about 1 rad, absorption of some percent."""

    def obj(y: Array, x: Array) -> NDArray[np.complex128]:
        star, (dust, grains) = siemens_star(y, x, radius), cells(y, x, radius, rng)
        return transmission(0.12 * star + 0.05 * grains, -0.8 * star - 0.1 * dust)

    return obj


def leaves(radius: float, rng: Generator) -> Transmission:
    """Dead leaves, as rich in detail as a photograph: phase over 1.2 rad, amplitude from 0.6 to 1."""

    def obj(y: Array, x: Array) -> NDArray[np.complex128]:
        first, second = dead_leaves(y, x, radius, rng)
        return transmission(0.5 * first, -1.2 * second)

    return obj


def fibre_in_cells(radius: float, rng: Generator) -> Transmission:
    """Cells in soft X-rays with an asbestos fibre across them, which absorbs."""

    def obj(y: Array, x: Array) -> NDArray[np.complex128]:
        bodies, grains = cells(y, x, radius, rng)
        across, along = 0.8 * y + 0.6 * x - 0.1 * radius, 0.8 * x - 0.6 * y + 0.15 * radius
        fibre = inside(0.035 * radius - np.abs(across)) * inside(0.7 * radius - np.abs(along))
        return transmission(0.06 * bodies + 0.05 * grains + 0.7 * fibre, -0.25 * bodies - 0.1 * grains - 0.5 * fibre)

    return obj


def particles(radius: float, phase_rad: float, rng: Generator) -> Transmission:
    """Round particles with a shell and a texture, and a few small dense beads, in ice of uneven thickness."""

    def obj(y: Array, x: Array) -> NDArray[np.complex128]:
        ice, texture = dead_leaves(y, x, 2 * radius, rng)
        shapes = np.zeros(np.broadcast_shapes(y.shape, x.shape))
        for _ in range(24):
            (cy, cx), size = rng.uniform(-1.1, 1.1, 2) * radius, rng.uniform(0.11, 0.13) * radius
            shell = disc(y, x, (cy, cx), size) - 0.5 * disc(y, x, (cy, cx), 0.75 * size)
            shapes = np.maximum(shapes, shell * (0.7 + 0.6 * texture))
        for _ in range(8):
            cy, cx = rng.uniform(-1, 1, 2) * radius
            shapes = shapes + 2 * disc(y, x, (cy, cx), 2.5)
        return transmission(0.05 * phase_rad * shapes, phase_rad * (shapes + 0.15 * ice))

    return obj
