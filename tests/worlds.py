"""Small scans whose objects and probes are formulas, and the frames that follow from them by numpy alone.

Formulas can be evaluated between pixels, so a sub-pixel position needs no interpolation here. Nothing is square,
centred, symmetric or real.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ptychogui.engine.models.thin import Thin
from ptychogui.engine.problem import Problem, problem
from ptychogui.engine.start.canvas import canvas
from ptychogui.engine.state import State
from ptychogui.geometry import Geometry
from ptychogui.types import Dataset, Object, Scan, Truth

Array = NDArray[Any]
CPU = torch.device("cpu")
COUNTS = 2e4
_WAVES = np.random.default_rng(4).uniform(-0.11, 0.11, (5, 2))
_WEIGHTS = np.array([0.2, 0.14j, -0.11, 0.08 + 0.06j, -0.09j])


def object_at(y: Array, x: Array) -> Array:
    """The transmission at places in pixels: a few plane waves, of frequencies below 0.11 per pixel."""
    waves = np.exp(2j * np.pi * (_WAVES[:, 0, None, None] * y + _WAVES[:, 1, None, None] * x))
    return np.asarray(0.8 * np.exp(0.3j) + np.tensordot(_WEIGHTS, waves, 1))


def probe_of(shape: tuple[int, int], modes: int, widest: tuple[int, int]) -> Array:
    """Modes (M, ny, nx) that have faded at the edges of a window `widest`, and in frequency as far as can be."""
    y, x = _places(shape)
    sy, sx = np.sqrt(np.array(widest) / np.pi)
    spot = np.exp(-((y - 0.8) ** 2) / (2 * sy**2) - (x + 0.6) ** 2 / (2 * sx**2) + 0.02j * (y - 0.4 * x) * x + 0.1j * y)
    every = np.stack([spot, 0.6 * spot * (y + 0.4j * x - 0.7) / sy, 0.3 * spot * (x - 0.2 * y * y / sx) / sx])[:modes]
    return np.asarray(every * np.sqrt(COUNTS / np.sum(np.abs(every) ** 2)))


def _places(shape: tuple[int, int]) -> tuple[Array, Array]:
    y, x = (np.arange(n, dtype=np.float64) - n // 2 for n in shape)
    return y[:, None], x[None, :]


def fourier(n: int) -> Array:
    """The unitary transform as a matrix, place and frequency zero at index n // 2."""
    k = np.arange(n) - n // 2
    return np.asarray(np.exp(-2j * np.pi * np.outer(k, k) / n) / np.sqrt(n))


@dataclass(frozen=True)
class World:
    """A scan, and what it was made of; the mask hides part of the detector."""

    dataset: Dataset
    modes: int
    padding_px: int

    def problem(self, real: torch.dtype = torch.float64) -> Problem:
        """The problem, in double precision."""
        return problem(self.dataset, Thin(padding_px=self.padding_px), CPU, real)

    def probe(self) -> Array:
        """The true modes on the padded window."""
        shape = self.dataset.geometry.shape
        padded = (shape[0] + 2 * self.padding_px, shape[1] + 2 * self.padding_px)
        return probe_of(padded, self.modes, shape)

    def truth(self) -> State:
        """The true state on the canvas of the engine."""
        probe = self.probe()
        window = (probe.shape[1], probe.shape[2])
        shape, begin, origin_m = canvas(self.dataset, window)
        first = np.array(origin_m) / self.dataset.geometry.pixel_m
        y, x = (np.arange(n) + f for n, f in zip(shape, first))
        obj = object_at(y[:, None], x[None, :])[None]
        return State.at(torch.from_numpy(obj), torch.from_numpy(probe), torch.from_numpy(begin), origin_m)

    def guess(self, seed: int = 0) -> State:
        """A state that is wrong everywhere, by complex noise."""
        state, rng = self.truth(), torch.Generator().manual_seed(seed)
        noise = torch.randn(state.obj.shape, dtype=state.obj.dtype, generator=rng)
        state.obj = state.obj + 0.3 * noise
        noise = torch.randn(state.probe.shape, dtype=state.probe.dtype, generator=rng)
        state.probe = state.probe + 0.2 * state.probe.abs().max() * noise
        return state

    def without_mask(self) -> World:
        """The same with every pixel in use."""
        return replace(self, dataset=replace(self.dataset, mask=np.ones_like(self.dataset.mask)))


def geometry(field: Literal["far", "near"], shape: tuple[int, int]) -> Geometry:
    """X-rays in the far field; light in a near field, at angles for which the paraxial formula is not enough."""
    if field == "far":
        return Geometry(shape, 1e-10, 2.0, (80e-6, 60e-6))
    return Geometry(shape, 633e-9, 5e-4, (20e-6, 17e-6), focus_to_sample_m=5.5e-5, field="near")


def positions_px(whole_pixel: bool) -> Array:
    """Sixteen places (y, x), irregular, far from zero."""
    grid = np.stack(np.meshgrid(np.arange(4) * 3.3, np.arange(4) * 2.8, indexing="ij"), -1).reshape(-1, 2)
    places = grid + np.random.default_rng(8).normal(0, 0.4, grid.shape) + (41.3, -17.6)
    return np.rint(places) if whole_pixel else places


def world(
    field: Literal["far", "near"] = "far",
    shape: tuple[int, int] = (24, 20),
    modes: int = 2,
    padding_px: int = 0,
    whole_pixel: bool = False,
) -> World:
    """A noise-free scan with a mask; its frames are float64."""
    optics, places = geometry(field, shape), positions_px(whole_pixel)
    padded = (shape[0] + 2 * padding_px, shape[1] + 2 * padding_px)
    probe = probe_of(padded, modes, shape)
    frames = np.stack([_frame(optics, probe, place, padding_px) for place in places])
    mask = np.ones(shape, np.bool_)
    mask[3, 2:9], mask[-5:-3, 4], mask[shape[0] // 2 + 2, shape[1] // 2 - 1] = False, False, False
    true = probe_of(shape, modes, shape)
    dataset = Dataset(
        frames,
        mask,
        Scan(places * optics.pixel_m),
        optics,
        source="world",
        probe=_held(true),
        truth=_truth(optics, places, true),
    )
    return World(dataset, modes, padding_px)


def _held(true: Array) -> Array:
    """What the file holds as its probe: one mode, too wide and with a wrong curvature."""
    y, x = _places((true.shape[1], true.shape[2]))
    wide = np.abs(true[:1]) ** 0.7 * np.exp(1j * (np.angle(true[:1]) + 0.01 * y * y - 0.006 * x * x))
    return np.asarray(wide, np.complex64)


def _frame(optics: Geometry, probe: Array, place: Array, padding_px: int) -> Array:
    """The counts of one frame, from the object at its very place."""
    shape = (probe.shape[1], probe.shape[2])
    y, x = _places(shape)
    exit_wave = probe * object_at(y + place[0], x + place[1])
    fy, fx = fourier(shape[0]), fourier(shape[1])
    waves = fy @ exit_wave @ fx.T
    if optics.field == "near":
        assert optics.wavelength_m
        assert optics.effective_distance_m
        v, u = (f / (n * d) * optics.wavelength_m for f, n, d in zip(_places(shape), shape, optics.pixel_m))
        turns = optics.effective_distance_m / optics.wavelength_m * (np.sqrt(1 - v**2 - u**2) - 1)
        waves = fy.conj().T @ (np.exp(2j * np.pi * turns) * waves) @ fx.conj()
    counts = np.sum(np.abs(waves) ** 2, 0)
    p = padding_px
    return np.asarray(counts[p:-p, p:-p] if p else counts)


def _truth(optics: Geometry, places: Array, probe: Array) -> Truth:
    """The object as a simulated file keeps it, on a grid of its own."""
    first = np.floor(places.min(0)) - np.array(optics.shape) // 2 - 3
    shape = np.ceil(np.ptp(places, axis=0)).astype(int) + optics.shape + 6
    y, x = (np.arange(n) + f for n, f in zip(shape, first))
    obj = object_at(y[:, None], x[None, :])[None].astype(np.complex64)
    far = [np.abs(c[..., None] - (places[:, axis] - f)).min(-1) for axis, (c, f) in enumerate(zip(_grid(shape), first))]
    support = np.hypot(*far) < 2.5
    origin_m = first * optics.pixel_m
    kept = Object(obj, optics.pixel_m, (float(origin_m[0]), float(origin_m[1])))
    return Truth(kept, probe.astype(np.complex64), places * optics.pixel_m, support, optics.distance_m)


def _grid(shape: Array) -> tuple[Array, Array]:
    y, x = np.indices(tuple(shape), dtype=np.float64)
    return y, x
