"""From a scene to frames: exact sub-pixel views of the object, propagation, counts."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ptychogui.engine.simulate.probes import angular_spectrum, known
from ptychogui.engine.simulate.recipe import Recipe, Scene
from ptychogui.geometry import Geometry
from ptychogui.params import format_quantity
from ptychogui.types import Dataset, Object, Scan, Truth, Value

Wave = NDArray[np.complex128]
Array = NDArray[np.float64]

MARGIN_PX = 4
"""Pixels of object around the outermost windows."""

SUPPORT = 0.1
"""An object without end counts where the illumination of all frames is at least this part of its maximum."""


def simulate(recipe: Recipe) -> Dataset:
    """Make the scan that a recipe describes, with its truth.

    Frames are Poisson counts (N, ny, nx), float32. The dataset's positions and distance are what an instrument would
    have written, with the recipe's errors; the truth holds those that the frames were made with.
    """
    steps = simulating(recipe)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: Dataset = end.value
            return made


def simulating(recipe: Recipe) -> Generator[float, None, Dataset]:
    """What `simulate` does, frame by frame: yields the part of the work that is done."""
    yield 0.0
    rng = np.random.default_rng(recipe.seed)
    scene = recipe.scene(rng)
    probe = _bright(scene.probe, recipe.photons)
    obj, first_px = _canvas(scene)
    corners_px = scene.positions_px - first_px - [n // 2 for n in recipe.shape]
    frames = np.empty((len(corners_px), *recipe.shape), np.float32)
    for n, view in enumerate(views(obj, corners_px, recipe.shape)):
        frames[n] = rng.poisson(intensity(probe * view, scene))
        yield (n + 1) / len(frames)
    nominal_px = scene.positions_px + recipe.position_error_px * rng.normal(size=scene.positions_px.shape)
    pixel_m, distance_m = scene.geometry.pixel_m, scene.geometry.distance_m
    truth = Truth(
        Object(obj[None].astype(np.complex64), pixel_m, (first_px[0] * pixel_m[0], first_px[1] * pixel_m[1])),
        probe.astype(np.complex64),
        scene.positions_px * pixel_m,
        _lit(probe, corners_px, obj.shape)
        if scene.extent_px is None
        else _within(scene.extent_px, first_px, obj.shape),
        distance_m,
    )
    plain = Dataset(
        frames,
        np.ones(recipe.shape, bool),
        Scan(nominal_px * pixel_m),
        scene.geometry,
        source=recipe.name,
        format="simulated",
        probe=None if scene.guess is None else _bright(scene.guess, recipe.photons).astype(np.complex64),
        truth=truth,
        values=_values(recipe, scene.geometry),
        meta={"recipe": recipe.name, "seed": str(recipe.seed)},
    )
    return plain.with_geometry(distance_m=distance_m and distance_m * (1 + recipe.distance_error))


def views(obj: Wave, corners_px: Array, shape: tuple[int, int]) -> Iterator[Wave]:
    """The object (Y, X) in windows (ny, nx) whose first pixel lies at each corner, between pixels too.

    A fraction of a pixel is a phase ramp on the whole object's spectrum: exact for what the samples can hold.
    """
    spectrum = fft.fft2(obj)
    fy, fx = (np.fft.fftfreq(n) for n in obj.shape)
    for corner in corners_px:
        whole = np.floor(corner).astype(int)
        ramp = (np.exp(2j * np.pi * f * part) for f, part in zip((fy, fx), corner - whole))
        moved = fft.ifft2(spectrum * np.multiply.outer(*ramp))
        yield moved[whole[0] : whole[0] + shape[0], whole[1] : whole[1] + shape[1]]


def intensity(exit_waves: Wave, scene: Scene) -> Array:
    """Expected counts (ny, nx) behind exit waves (M, ny, nx), zero frequency in the centre."""
    geometry, p = scene.geometry, scene.padding_px
    if geometry.field == "near":
        wavelength_m, distance_m = known(geometry.wavelength_m), known(geometry.effective_distance_m)
        wide = np.pad(exit_waves, ((0, 0), (p, p), (p, p)))
        waves = angular_spectrum(wide, wavelength_m, distance_m, geometry.pixel_m)
        waves = waves[:, p : p + geometry.shape[0], p : p + geometry.shape[1]]
    else:
        waves = fft.fftshift(fft.fft2(exit_waves, norm="ortho"), axes=(-2, -1))
    result: Array = np.sum(np.abs(waves) ** 2, axis=0)
    return result


def _bright(modes: Wave, photons: float) -> Wave:
    """Modes (M, ny, nx) with these counts in all."""
    result: Wave = modes * np.sqrt(photons / np.sum(np.abs(modes) ** 2))
    return result


def _canvas(scene: Scene) -> tuple[Wave, Array]:
    """The object on the grid that all windows and a margin need, of odd size, and its first pixel's (y, x).

    An odd number of samples has no frequency whose sign is open, so what lies between the samples is determined.
    """
    half = np.array([n // 2 for n in scene.geometry.shape])
    first = np.floor(scene.positions_px.min(0)) - half - MARGIN_PX
    last = np.ceil(scene.positions_px.max(0)) + half + MARGIN_PX
    ny, nx = ((last - first) // 2 * 2 + 1).astype(int)
    return scene.obj(first[0] + np.arange(ny)[:, None], first[1] + np.arange(nx)[None, :]), first


def _within(extent_px: tuple[int, int], first_px: Array, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The pixels (Y, X) of a canvas on which an object of this size lies, its pixel n // 2 in the middle."""
    y, x = (first + np.arange(n) + size // 2 for first, n, size in zip(first_px, shape, extent_px))
    result: NDArray[np.bool_] = np.logical_and.outer((y >= 0) & (y < extent_px[0]), (x >= 0) & (x < extent_px[1]))
    return result


def _lit(probe: Wave, corners_px: Array, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    light, total = np.sum(np.abs(probe) ** 2, axis=0), np.zeros(shape)
    for y, x in np.rint(corners_px).astype(int):
        total[y : y + light.shape[0], x : x + light.shape[1]] += light
    result: NDArray[np.bool_] = total >= SUPPORT * total.max()
    return result


def _values(recipe: Recipe, geometry: Geometry) -> tuple[Value, ...]:
    pairs = {
        "format": f"simulated, {recipe.name}",
        "wavelength": format_quantity(geometry.wavelength_m or 0, "m"),
        "distance": format_quantity((geometry.distance_m or 0) * (1 + recipe.distance_error), "m"),
        "detector pixel": format_quantity((geometry.detector_pixel_m or (0, 0))[0], "m"),
        "field": geometry.field,
    }
    return tuple(Value(name, text, "file") for name, text in pairs.items())
